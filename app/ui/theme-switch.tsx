import { useFetcher, useLocation } from '@remix-run/react';
import { Monitor, Moon, Sun } from 'lucide-react';

export type ThemeName = 'system' | 'light' | 'dark';

const themes = [
  { name: 'system', text: 'As the system', Icon: Monitor },
  { name: 'light', text: 'Light', Icon: Sun },
  { name: 'dark', text: 'Dark', Icon: Moon },
] as const;

/** Switches between light, dark and the system's theme; the choice is stored in a cookie. */
export function ThemeSwitch({ theme }: { theme: ThemeName }) {
  const fetcher = useFetcher();
  const { pathname, search } = useLocation();
  const chosen = (fetcher.formData?.get('theme') as ThemeName | null | undefined) ?? theme;
  return (
    <fetcher.Form method="post" action="/theme" className="flex items-center gap-3">
      <input type="hidden" name="redirectTo" value={pathname + search} />
      <fieldset className="flex gap-0.5 rounded-full border border-line p-0.5">
        <legend className="sr-only">Colour scheme</legend>
        {themes.map(({ name, text, Icon }) => (
          <button
            key={name}
            name="theme"
            value={name}
            aria-pressed={chosen === name}
            title={text}
            className={`grid size-9 place-items-center rounded-full transition-colors ${
              chosen === name ? 'bg-sunken text-ink' : 'text-muted hover:text-ink'
            }`}
          >
            <Icon aria-hidden className="size-4" />
            <span className="sr-only">{text}</span>
          </button>
        ))}
      </fieldset>
    </fetcher.Form>
  );
}
