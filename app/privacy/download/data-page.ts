import { createHash } from 'node:crypto';
import type { Snapshot } from '#app/database/snapshots.server.ts';
import type { Exported, Periods, PersonalModel } from '../data-map/field-classes.ts';
import { personalModels, type MappedModel } from '../data-map/data-map.ts';
import { privacyStatement, type DataCategory } from '../data-map/privacy-statement.ts';
import { html, type Html } from './html.ts';
import { pageStyle } from './page-style.ts';
import {
  countRows,
  exportedFields,
  storedRows,
  textIn,
  type Owner,
  type Row,
} from './stored-rows.ts';
import { describeRow, describedFields, type RowContext } from './described-rows.ts';

/** The most rows of a table on the page: a browser is slow to show a hundred thousand rows. */
const ROWS_ON_PAGE = 1000;

// The page loads nothing and runs no scripts, whatever HTML a user agent contains.
const styleHash = createHash('sha256').update(pageStyle).digest('base64');
const POLICY = `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'`;

interface PageOptions {
  telling: RowContext;
  periods: Periods;
  /** Names of the other files of the download, by the part that they contain. */
  files: Record<string, string>;
}

/** Yields the text of index.html: all data in words, readable in any browser without a network. */
export async function* dataPage(
  snapshot: Snapshot,
  owner: Owner,
  { telling, periods, files }: PageOptions,
): AsyncGenerator<string> {
  yield head(owner, telling.now);
  for (const mapped of personalModels) {
    const { model } = mapped;
    const count = await countRows(snapshot, mapped, owner);
    yield html`<section id="${model.part}">
      <h2>${model.title}</h2>
      <p class="about">${model.purpose} Kept: ${lowerFirst(model.keptFor(periods))}</p>
      ${count === 0 && html`<p class="muted">Nothing.</p>`}
      ${count > ROWS_ON_PAGE && onlyTheNewest(count, files[model.part])}
    </section>`.text;
    if (model.rows === 'many' && count > 0) yield '<ul class="rows">';
    for await (const page of storedRows(snapshot, mapped, owner, ROWS_ON_PAGE)) {
      const rows = page.map((row) => rowOf(mapped, describeRow(mapped.name, row, telling)));
      yield html`${rows}`.text;
    }
    if (model.rows === 'many' && count > 0) yield '</ul>';
    yield '</section>\n';
  }
  yield foot(periods).text;
}

function head({ email }: Owner, now: Date): string {
  const links = personalModels.map(
    ({ model }) => html`<li><a href="#${model.part}">${model.title}</a></li>`,
  );
  // The style is trusted and must not be escaped: its hash is in the policy.
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <meta name="referrer" content="no-referrer" />
        <title>Your data · Latchkey</title>
      </head>
    </html>`;
  const body = html`</head><body><header><h1>Your data</h1>
<p class="muted">Everything that Latchkey keeps about ${email}, as it stood on ${timeOf(now)}.
The same is in <a href="data.json">data.json</a>, for programs.</p>
<nav aria-label="What there is"><ul>${links}<li><a href="#kept">What we keep, and why</a></li></ul></nav>
</header><main>`;
  return `${page.text}<style>${pageStyle}</style>${body.text}`;
}

function onlyTheNewest(count: number, file: string | undefined): Html {
  const place = file ?? 'data.json';
  return html`<p>
    The newest ${ROWS_ON_PAGE} of ${count}; all of them are in <a href="${place}">${place}</a>.
  </p>`;
}

function rowOf({ name, model }: MappedModel<PersonalModel>, row: Row): Html {
  const fields = [...describedFields(name), ...exportedFields(model)];
  const values = html`<dl>
    ${fields.map(([field, { label, as }]) => pair(label, as, row[field] ?? null))}
  </dl>`;
  if (model.rows === 'one') return values;
  return html`<li>
    <details>
      <summary>${summaryOf(model, row)}</summary>
      ${values}
    </details>
  </li>`;
}

/** Returns the name, details and time of a row. */
function summaryOf({ order }: PersonalModel, row: Row): Html {
  const { label, what, name, displayName, purpose, application, store, device, place } = row;
  const title = label ?? what ?? name ?? displayName ?? purpose ?? application ?? store ?? device;
  const more = [title === device ? null : device, place, timeOf(textIn(row[order]))];
  const said = more.flatMap((one) => (one == null ? [] : [textIn(one)])).join(' · ');
  return title == null
    ? html`${said}`
    : html`<strong>${textIn(title)}</strong> <span class="muted">${said}</span>`;
}

function pair(label: string, as: Exported['as'], value: Row[string]): Html | false {
  if (value === null) return false;
  return html`<dt>${label}</dt>
    <dd>${shown(as, value)}</dd>`;
}

function shown(as: Exported['as'], value: Exclude<Row[string], null>): Html | string {
  switch (as) {
    case 'time':
      return html`<time datetime="${textIn(value)}">${timeOf(textIn(value))}</time>`;
    case 'yes-or-no':
      return value === true ? 'Yes' : 'No';
    case 'image':
      return html`<img alt="" src="data:image/webp;base64,${textIn(value)}" />`;
    default:
      return textIn(value);
  }
}

const moment = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});

function timeOf(time: Date | string): string {
  return `${moment.format(new Date(time))} UTC`;
}

function foot(periods: Periods): Html {
  const { aboutYou, aboutNobody } = privacyStatement(periods);
  return html`<section id="kept"><h2>What we keep about you, why and for how long</h2>
${aboutYou.map(thingOf)}
<h3>Kept beside that, about nobody in particular</h3>
${aboutNobody.map(({ title, purpose, keptFor }) => html`<p>${title}: ${lowerFirst(purpose)} <span class="muted">${keptFor}</span></p>`)}
</section></main></body></html>
`;
}

function thingOf({ title, purpose, keptFor, notInDownload }: DataCategory): Html {
  const left = notInDownload.map(
    ({ label, what }) =>
      html`<p class="muted">Not in this download: ${lowerFirst(label)}. ${what}</p>`,
  );
  return html`<h3>${title}</h3>
    <p>${purpose} <span class="muted">${keptFor}</span></p>
    ${left}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
