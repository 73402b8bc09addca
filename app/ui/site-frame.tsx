import { Form, Link } from '@remix-run/react';
import { ChevronDown, LogOut } from 'lucide-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { ButtonLink } from './button.tsx';
import { Wordmark } from './mark.tsx';
import { UserPicture } from './user-picture.tsx';
import { settingsPages } from './settings-pages.ts';
import { ThemeSwitch, type ThemeName } from './theme-switch.tsx';

export interface FrameUser {
  name: string;
  email: string;
  /** The version of the user's picture, for its URL; `null`: no picture. */
  picture: string | null;
}

/** The frame of every page: the logo, the user's menu with "Sign out", and the theme switch. */
export function SiteFrame({
  user,
  theme,
  children,
}: {
  /** `null`: signed out; undefined: not known, because the loader failed. */
  user: FrameUser | null | undefined;
  theme: ThemeName;
  children: ReactNode;
}) {
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#content"
        className="absolute top-2 left-2 z-30 -translate-y-20 rounded-xl bg-ink px-4 py-2 text-ground focus:translate-y-0"
      >
        Skip to the content
      </a>
      <header className="mx-auto flex w-full max-w-240 items-center justify-between gap-4 px-5 py-4">
        <Link to="/" aria-label="Latchkey, home" className="rounded-lg">
          <Wordmark />
        </Link>
        {user && <UserMenu user={user} />}
        {user === null && <GuestLinks />}
      </header>
      <main id="content" className="flex-1" tabIndex={-1}>
        {children}
      </main>
      <footer className="mx-auto flex w-full max-w-240 items-center justify-between gap-4 px-5 py-6 text-small text-muted">
        <p className="max-sm:hidden">Sessions you can see and end.</p>
        <Link to="/privacy" className="py-2 underline hover:text-ink sm:ml-auto">
          Privacy
        </Link>
        <Link to="/developers" className="py-2 underline hover:text-ink">
          Developers
        </Link>
        <ThemeSwitch theme={theme} />
      </footer>
    </div>
  );
}

function GuestLinks() {
  return (
    <nav aria-label="Account" className="flex items-center gap-1">
      <ButtonLink look="quiet" to="/login" className="px-3.5">
        Sign in
      </ButtonLink>
      <ButtonLink look="secondary" to="/signup" className="px-4 max-[26rem]:hidden">
        Create account
      </ButtonLink>
    </nav>
  );
}

function UserMenu({ user }: { user: FrameUser }) {
  const menu = useRef<HTMLDetailsElement>(null);

  // The menu works without scripts; scripts also close it on Escape and on a click elsewhere.
  useEffect(() => {
    const element = menu.current;
    if (!element) return;
    const closeElsewhere = (event: Event) => {
      if (!element.contains(event.target as Node)) element.open = false;
    };
    const closeByEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !element.open) return;
      element.open = false;
      element.querySelector('summary')?.focus();
    };
    document.addEventListener('click', closeElsewhere);
    document.addEventListener('keydown', closeByEscape);
    return () => {
      document.removeEventListener('click', closeElsewhere);
      document.removeEventListener('keydown', closeByEscape);
    };
  }, []);

  return (
    <details ref={menu} className="group relative">
      <summary className="flex min-h-11 max-w-56 list-none items-center gap-2 rounded-xl py-1 pr-2 pl-1.5 hover:bg-sunken">
        <UserPicture {...user} size="menu" />
        <span className="sr-only">Menu of </span>
        <span className="truncate font-medium">{user.name}</span>
        <ChevronDown
          aria-hidden
          className="size-4 shrink-0 text-muted transition-transform group-open:rotate-180"
        />
      </summary>
      <div className="appear absolute right-0 z-20 mt-2 w-64 rounded-2xl border border-line bg-raised p-2 shadow-xl">
        <p className="truncate px-3 pt-1.5 pb-2.5 text-small text-muted">{user.email}</p>
        <nav aria-label="Your account" className="grid">
          {settingsPages.map(({ to, text, Icon }) => (
            <Link
              key={to}
              to={to}
              className="flex min-h-11 items-center gap-3 rounded-xl px-3 hover:bg-sunken sm:min-h-10"
              onClick={() => menu.current?.removeAttribute('open')}
            >
              <Icon aria-hidden className="size-4.5 text-muted" strokeWidth={1.75} />
              {text}
            </Link>
          ))}
        </nav>
        <Form
          method="post"
          action="/logout"
          reloadDocument
          className="mt-2 border-t border-line pt-2"
        >
          <button
            type="submit"
            className="flex min-h-11 w-full items-center gap-3 rounded-xl px-3 text-left hover:bg-sunken sm:min-h-10"
          >
            <LogOut aria-hidden className="size-4.5 text-muted" strokeWidth={1.75} />
            Sign out
          </button>
        </Form>
      </div>
    </details>
  );
}
