import type { MetaFunction } from '@remix-run/node';
import { Link, Outlet, useLocation } from '@remix-run/react';
import { settingsPages } from '#app/ui/settings-pages.ts';

export const meta: MetaFunction = () => [{ name: 'robots', content: 'noindex' }];

export async function loader() {
  return null;
}

export default function Settings() {
  const { pathname } = useLocation();
  return (
    <div className="mx-auto grid w-full max-w-240 gap-x-14 gap-y-8 px-5 py-6 md:grid-cols-[11rem_minmax(0,1fr)] md:py-12">
      <nav
        aria-label="Settings"
        className="-mx-5 flex justify-between overflow-x-auto border-b border-line px-1 sm:px-3 md:mx-0 md:flex-col md:gap-1 md:self-start md:border-0 md:px-0"
      >
        {settingsPages.map(({ to, text, short, Icon, with: others }) => (
          <Link
            key={to}
            to={to}
            aria-current={[to, ...others].some((page) => isAt(pathname, page)) ? 'page' : undefined}
            className="group flex min-h-12 shrink-0 items-center gap-3 border-b-2 border-transparent px-2 text-small text-muted hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-ink sm:px-3 sm:text-base md:min-h-10 md:rounded-xl md:border-0 md:aria-[current=page]:bg-sunken"
          >
            <Icon aria-hidden className="hidden size-4.5 md:block" strokeWidth={1.75} />
            <span className="md:hidden">{short}</span>
            <span className="hidden md:inline">{text}</span>
          </Link>
        ))}
      </nav>
      <div className="w-full max-w-176">
        <Outlet />
      </div>
    </div>
  );
}

function isAt(pathname: string, page: string): boolean {
  return pathname === page || pathname.startsWith(`${page}/`);
}
