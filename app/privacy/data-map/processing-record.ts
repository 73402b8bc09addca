import type { FieldClass, ModelClass } from './field-classes.ts';
import { everyModel } from './data-map.ts';
import { defaultPeriods } from './default-periods.ts';

const grounds = {
  contract: 'performance of the contract (GDPR, article 6 (1) (b))',
  'legitimate interest':
    'legitimate interest in the security of accounts (GDPR, article 6 (1) (f))',
};

const INTRODUCTION = `# Record of processing

What is kept, about whom, why and for how long (GDPR, article 30). It is made from the data map in
\`app/privacy/data-map/data-map.ts\`; do not edit it by hand, run \`npm run data-map\`. A test fails
while it is stale.

- **Whose data:** people who have an account, or to whose address a code was mailed.
- **Passed on to:** nobody; what you connect is what you pass on (your mail server; the providers that
  people choose to sign in with).
- **Periods:** with the defaults of \`SESSION_RETENTION_DAYS\` and \`ACTIVITY_RETENTION_DAYS\`.
- **Protection:** see [security.md](security.md).
`;

/** Returns the text of docs/processing.md, before Prettier formats it. */
export function processingRecord(): string {
  const sections = everyModel.map(({ name, model }) => sectionOf(name, model));
  return [INTRODUCTION, ...sections].join('\n');
}

function sectionOf(name: string, model: ModelClass): string {
  const fields = Object.entries<FieldClass>(model.fields).map(
    ([field, fieldClass]) => `- \`${field}\`: ${fateOf(fieldClass)}`,
  );
  return `## ${name}: ${lowerFirst(model.title)}

- **Purpose:** ${model.purpose}
- **Ground:** ${grounds[model.ground]}.
- **Kept:** ${model.keptFor(defaultPeriods)}
- **In the download:** ${model.part === null ? 'no, it is about nobody who could be named' : `as \`${model.part}\``}.

${fields.join('\n')}
`;
}

function fateOf(field: FieldClass): string {
  if (field.is === 'exported') return `exported. ${field.label}: ${lowerFirst(field.what)}`;
  return `withheld (${field.for}). ${field.label}: ${lowerFirst(field.why)}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
