import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import type { Exported, FieldClass } from '#app/privacy/data-map/field-classes.ts';
import { dataMap, everyModel, personalModels } from '#app/privacy/data-map/data-map.ts';
import { defaultPeriods } from '#app/privacy/data-map/default-periods.ts';
import { privacyStatement } from '#app/privacy/data-map/privacy-statement.ts';
import { processingRecord } from '#app/privacy/data-map/processing-record.ts';
import { dataSchema } from '#app/privacy/download/data-schema.ts';
import { parseEnv } from '#app/config/env.server.ts';

interface SchemaField {
  type: string;
  isOptional: boolean;
}

/** Returns all models of a Prisma schema with their scalar fields. */
function modelsOf(schema: string): Map<string, Map<string, SchemaField>> {
  const models = [...schema.matchAll(/^model (\w+) \{\n(.*?)^\}/gms)];
  const names = new Set(models.map(([, name]) => name!));
  return new Map(
    models.map(([, name, body]) => {
      const fields = [...body!.matchAll(/^ {2}(\w+)\s+(\w+)(\?|\[\])?/gm)]
        .filter(([, , type]) => !names.has(type!))
        .map(
          ([, field, type, mark]) => [field!, { type: type!, isOptional: mark === '?' }] as const,
        );
      return [name!, new Map(fields)];
    }),
  );
}

const classOf = (model: string): Record<string, FieldClass> =>
  (dataMap as Record<string, { fields: Record<string, FieldClass> }>)[model]?.fields ?? {};

/** Returns the differences between a schema and the data map. */
function differences(schema: string): string[] {
  const models = modelsOf(schema);
  const found: string[] = [];
  for (const [model, fields] of models) {
    if (!(model in dataMap)) found.push(`${model} is not classed in the data map.`);
    for (const field of fields.keys()) {
      if (!(field in classOf(model))) found.push(`${model}.${field} is not classed.`);
    }
  }
  for (const { name } of everyModel) {
    for (const field of Object.keys(classOf(name))) {
      if (!models.get(name)?.has(field))
        found.push(`${name}.${field} is classed but does not exist.`);
    }
  }
  return found;
}

const schema = readFileSync('prisma/models.prisma', 'utf8');

describe('the data map', () => {
  test('the data map classes exactly the models and fields of the schema', () => {
    expect(modelsOf(schema).size).toBeGreaterThan(10);
    expect(differences(schema)).toEqual([]);
  });

  test('added and removed models and fields are reported by name', () => {
    const changed = `${schema}\nmodel Letter {\n  id String @id\n  text String\n}\n`
      .replace('  hash      String\n', '  hash      String\n  hint      String?\n')
      .replace('  tries     Int      @default(0)\n', '');
    expect(differences(changed)).toEqual([
      'Password.hint is not classed.',
      'Letter is not classed in the data map.',
      'Letter.id is not classed.',
      'Letter.text is not classed.',
      'OutgoingMail.tries is classed but does not exist.',
    ]);
  });

  test('the type and optionality of every exported field match the schema', () => {
    const types: Record<Exported['as'], string[]> = {
      text: ['String'],
      json: ['String'],
      time: ['DateTime'],
      number: ['Int', 'BigInt'],
      'yes-or-no': ['Boolean'],
      image: ['Bytes'],
    };
    const models = modelsOf(schema);
    for (const { name } of everyModel) {
      for (const [field, fieldClass] of Object.entries(classOf(name))) {
        if (fieldClass.is !== 'exported') continue;
        const { type, isOptional } = models.get(name)!.get(field)!;
        expect(types[fieldClass.as], `${name}.${field}`).toContain(type);
        expect(fieldClass.isOptional, `${name}.${field}`).toBe(isOptional);
      }
    }
  });

  test('no field with the name of a secret is exported', () => {
    for (const { name } of everyModel) {
      for (const [field, { is }] of Object.entries(classOf(name))) {
        if (!/secret|hash|token|sealed|payload|lastStep/i.test(field)) continue;
        expect(is, `${name}.${field}`).toBe('withheld');
      }
    }
  });

  test('every part of the download has a unique name', () => {
    const parts = personalModels.map(({ model }) => model.part);
    expect(new Set(parts).size).toBe(parts.length);
    const { properties } = dataSchema() as { properties: object };
    for (const part of parts) expect(properties).toHaveProperty(part);
  });
});

test('the privacy statement covers every model, with the retention periods of the environment', () => {
  const periods = { sessionRetentionDays: 1, activityRetentionDays: 77 };
  const { aboutYou, aboutNobody } = privacyStatement(periods);
  expect(aboutYou.length + aboutNobody.length).toBe(everyModel.length);
  const text = JSON.stringify([aboutYou, aboutNobody]);
  expect(text).toContain('then 1 day more');
  expect(text).toContain('77 days.');
});

test('the default periods equal the defaults of the environment', () => {
  const { SESSION_RETENTION_DAYS, ACTIVITY_RETENTION_DAYS } = parseEnv({});
  expect(defaultPeriods).toEqual({
    sessionRetentionDays: SESSION_RETENTION_DAYS,
    activityRetentionDays: ACTIVITY_RETENTION_DAYS,
  });
});

test('docs/processing.md is up to date (to update it: npm run data-map)', async () => {
  const file = 'docs/processing.md';
  const options = { ...(await resolveConfig(file)), filepath: file };
  expect(readFileSync(file, 'utf8')).toBe(await format(processingRecord(), options));
});
