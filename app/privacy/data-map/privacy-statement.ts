import type { Periods } from './field-classes.ts';
import { everyModel } from './data-map.ts';

/** The text for users about one kind of stored data. */
export interface DataCategory {
  title: string;
  purpose: string;
  ground: string;
  keptFor: string;
  /** The fields that are in the download. */
  inDownload: { label: string; what: string }[];
  /** The fields that are not in the download, and why. */
  notInDownload: { label: string; what: string }[];
}

interface PrivacyStatement {
  /** Data about the user. */
  aboutYou: DataCategory[];
  /** Data that does not identify a user. */
  aboutNobody: DataCategory[];
}

const grounds = {
  contract: 'It takes that to do what you have an account for.',
  'legitimate interest': 'It takes that to keep your account safe.',
};

/** Returns the content of "What we keep about you, why and for how long", from the data map. */
export function privacyStatement(periods: Periods): PrivacyStatement {
  const things = everyModel.map(({ model }) => {
    const fields = Object.values(model.fields);
    const thing: DataCategory = {
      title: model.title,
      purpose: model.purpose,
      ground: grounds[model.ground],
      keptFor: model.keptFor(periods),
      inDownload: fields.flatMap((field) =>
        field.is === 'exported' ? [{ label: field.label, what: field.what }] : [],
      ),
      // A field that only repeats another one would not inform the user.
      notInDownload: fields.flatMap((field) =>
        field.is === 'withheld' && field.for !== 'repeats'
          ? [{ label: field.label, what: field.why }]
          : [],
      ),
    };
    return { thing, isPersonal: model.part !== null };
  });
  return {
    aboutYou: things.filter(({ isPersonal }) => isPersonal).map(({ thing }) => thing),
    aboutNobody: things.filter(({ isPersonal }) => !isPersonal).map(({ thing }) => thing),
  };
}
