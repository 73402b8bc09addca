/** The style of index.html, which is inline because the page must work without a network. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: light-dark(oklch(0.985 0.005 85), oklch(0.178 0.006 58));
  --sunken: light-dark(oklch(0.958 0.008 85), oklch(0.25 0.008 58));
  --ink: light-dark(oklch(0.235 0.012 65), oklch(0.945 0.008 85));
  --muted: light-dark(oklch(0.475 0.014 70), oklch(0.735 0.013 82));
  --line: light-dark(oklch(0.905 0.01 85), oklch(0.315 0.009 60));
  --accent: light-dark(oklch(0.5 0.098 72), oklch(0.82 0.115 84));
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 46rem; padding: 3rem 1.25rem 5rem;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.5 ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 1.625rem; line-height: 1.3; letter-spacing: -0.018em; }
h2 { margin: 0; font-size: 1.1875rem; }
h3 { margin: 1.75rem 0 0; font-size: 1rem; }
p { margin: 0.25rem 0 0; max-width: 68ch; }
a { color: var(--accent); }
.muted, .about { color: var(--muted); }
.about { font-size: 0.875rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 1.5rem 0 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: 0.25rem 0; }
section { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1.75rem; }
dl { display: grid; grid-template-columns: minmax(7rem, 12rem) 1fr; gap: 0.375rem 1.25rem; margin: 1rem 0 0; }
dt { color: var(--muted); }
dd { margin: 0; }
ul.rows { margin: 1rem 0 0; padding: 0; list-style: none; }
ul.rows > li { border-top: 1px solid var(--line); }
summary { cursor: pointer; padding: 0.625rem 0; }
summary strong { font-weight: 600; }
details dl { margin: 0 0 1.25rem; border-radius: 0.75rem; background: var(--sunken); padding: 1rem; }
img { display: block; border-radius: 0.75rem; max-width: 100%; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.625rem; } }
@media print { :root { color-scheme: light; } nav { display: none; } }
`;
