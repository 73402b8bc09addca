import type { Exported } from '../data-map/field-classes.ts';
import { personalModels } from '../data-map/data-map.ts';
import { FORMAT, VERSION } from './data-json.ts';
import { exportedFields } from './stored-rows.ts';
import { describedFields } from './described-rows.ts';

type Schema = Record<string, unknown>;

/** Returns the JSON Schema of data.json. It allows only the fields that the data map exports. */
export function dataSchema(): Schema {
  const parts = personalModels.map(({ name, model }) => {
    const row = objectOf([...describedFields(name), ...exportedFields(model)]);
    const about = { title: model.title, description: model.purpose };
    const schema =
      model.rows === 'many'
        ? { ...about, type: 'array', items: row }
        : // Every user has a profile; every other part may be null.
          { ...about, ...row, type: model.whose === 'id' ? 'object' : ['object', 'null'] };
    return [model.part, schema] as const;
  });
  const properties: Schema = {
    $schema: { type: 'string' },
    format: { const: FORMAT },
    version: { const: VERSION },
    exportedAt: { type: 'string', format: 'date-time', description: 'When this file was made.' },
    ...Object.fromEntries(parts),
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Everything that Latchkey keeps about a person',
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

function objectOf(fields: [name: string, field: Exported][]): Schema {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(([name, field]) => [name, schemaOf(field)])),
    required: fields.map(([name]) => name),
    additionalProperties: false,
  };
}

function schemaOf({ as, isOptional, label, what }: Exported): Schema {
  const about = { title: label, description: what };
  // Any JSON value, including null.
  if (as === 'json') return about;
  const { type, ...rest } = typeOf(as);
  return { ...about, type: isOptional ? [type, 'null'] : type, ...rest };
}

function typeOf(as: Exclude<Exported['as'], 'json'>): Schema {
  switch (as) {
    case 'text':
      return { type: 'string' };
    case 'time':
      return { type: 'string', format: 'date-time' };
    case 'number':
      return { type: 'integer' };
    case 'yes-or-no':
      return { type: 'boolean' };
    case 'image':
      return { type: 'string', contentEncoding: 'base64', contentMediaType: 'image/webp' };
  }
}
