import type { Periods } from './field-classes.ts';
import { everyModel } from './data-map.ts';

/** What is said to people of one kind of thing that is kept. */
export interface DataCategory {
  title: string;
  purpose: string;
  ground: string;
  keptFor: string;
  /** What is in their download. */
  inDownload: { label: string; what: string }[];
  /** What is not, and why. */
  notInDownload: { label: string; what: string }[];
}

export interface PrivacyStatement {
  /** About the person who reads it. */
  aboutYou: DataCategory[];
  /** About nobody in particular. */
  aboutNobody: DataCategory[];
}

const grounds = {
  contract: 'It takes that to do what you have an account for.',
  'legitimate interest': 'It takes that to keep your account safe.',
};

/** "What we keep about you, why and for how long", from the data map. */
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
      // What only repeats something else is of no interest to whoever reads this.
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
