import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node';
import { Link, useLoaderData, useRouteLoaderData } from '@remix-run/react';
import { ArrowRight } from 'lucide-react';
import { findSignedIn } from '#app/visit/visit.ts';
import { ButtonLink } from '#app/ui/button.tsx';
import { DeviceIcon } from '#app/devices/device-icon.tsx';
import { settingsPages } from '#app/ui/settings-pages.ts';
import type { FrameUser } from '#app/ui/site-frame.tsx';

const DESCRIPTION =
  'See every device where you are signed in, sign any of them out at once, and take or erase all that is kept about you.';

export const meta: MetaFunction<typeof loader> = ({ matches }) => {
  const root = matches.find(({ id }) => id === 'root')?.data as { origin?: string } | undefined;
  return [
    { title: 'Latchkey: sessions you can see and end' },
    { name: 'description', content: DESCRIPTION },
    { property: 'og:title', content: 'Latchkey: sessions you can see and end' },
    { property: 'og:description', content: DESCRIPTION },
    { property: 'og:type', content: 'website' },
    { property: 'og:url', content: `${root?.origin ?? ''}/` },
    { property: 'og:image', content: `${root?.origin ?? ''}/open-graph.png` },
    { name: 'twitter:card', content: 'summary_large_image' },
  ];
};

export async function loader({ context: { visit } }: LoaderFunctionArgs) {
  return { isSignedIn: (await findSignedIn(visit)) !== null };
}

export default function Home() {
  return useLoaderData<typeof loader>().isSignedIn ? <SignedInHome /> : <VisitorHome />;
}

function VisitorHome() {
  return (
    <div className="mx-auto grid w-full max-w-240 items-center gap-x-16 gap-y-14 px-5 pt-14 pb-10 sm:pt-24 lg:grid-cols-[1fr_26rem]">
      <div className="grid justify-items-start gap-6">
        <h1 className="text-hero font-semibold">Know who holds a key to your account.</h1>
        <p className="max-w-120 text-lead text-muted">{DESCRIPTION}</p>
        <div className="mt-2 flex flex-wrap gap-3">
          <ButtonLink look="primary" to="/signup">
            Create your account
          </ButtonLink>
          <ButtonLink to="/login">Sign in</ButtonLink>
        </div>
      </div>
      <figure aria-label="An example of the sessions page" className="grid gap-3">
        <ul className="grid divide-y divide-line rounded-3xl border border-line bg-raised px-6 py-2 shadow-xl">
          <Example kind="computer" name="Firefox on Mac" place="Austria" note="This device" isLit />
          <Example kind="phone" name="Safari on iPhone" place="Austria" note="2 minutes ago" />
          <Example kind="tablet" name="Kitchen iPad" place="Local network" note="Yesterday" />
          <Example
            kind="computer"
            name="Chrome on Windows"
            place="Portugal"
            note="Signed out"
            isOut
          />
        </ul>
      </figure>
      <dl className="grid gap-x-12 gap-y-8 border-t border-line pt-10 sm:mt-6 sm:grid-cols-3 lg:col-span-2">
        <Offer
          name="See"
          text="Every device, where it is, when it signed in and when it was last used."
        />
        <Offer name="End" text="One click signs a device out. Its very next request is refused." />
        <Offer
          name="Take or erase"
          text="One file with all that is kept about you, or none of it left."
        />
      </dl>
    </div>
  );
}

function Offer({ name, text }: { name: string; text: string }) {
  return (
    <div className="grid content-start gap-1">
      <dt className="font-semibold">{name}</dt>
      <dd className="text-muted">{text}</dd>
    </div>
  );
}

interface ExampleProps {
  kind: 'computer' | 'phone' | 'tablet';
  name: string;
  place: string;
  note: string;
  isLit?: boolean;
  isOut?: boolean;
}

function Example({ kind, name, place, note, isLit = false, isOut = false }: ExampleProps) {
  return (
    <li className={`flex items-center gap-4 py-4 ${isOut ? 'text-muted' : ''}`}>
      <DeviceIcon kind={kind} className="size-6 shrink-0 text-muted" />
      <span className="grid min-w-0 flex-1">
        <span className={`truncate font-medium ${isOut ? 'line-through decoration-1' : ''}`}>
          {name}
        </span>
        <span className="text-small text-muted">{place}</span>
      </span>
      <span className="flex items-center gap-2 text-small text-muted">
        {isLit && <span className="lit size-2 rounded-full" />}
        <span className={isLit ? 'font-medium text-ink' : ''}>{note}</span>
      </span>
    </li>
  );
}

const purposes: Record<string, string> = {
  '/settings/sessions': 'Every device where you are signed in, and the way to sign it out.',
  '/settings/profile': 'What you are called here.',
  '/settings/password': 'Change it, and sign out everywhere else with it.',
  '/settings/data': 'Download all that is kept about you, or delete your account.',
};

function SignedInHome() {
  const user = useRouteLoaderData<{ user: FrameUser | null }>('root')?.user;
  return (
    <div className="mx-auto w-full max-w-176 px-5 py-12 sm:py-20">
      <h1 className="text-title font-semibold">Hello, {user?.name}</h1>
      <p className="mt-2 text-muted">Where would you like to go?</p>
      <ul className="mt-8 divide-y divide-line border-y border-line">
        {settingsPages.map(({ to, text, Icon }) => (
          <li key={to}>
            <Link to={to} className="group -mx-3 flex items-center gap-5 rounded-xl px-3 py-5">
              <Icon aria-hidden className="size-6 shrink-0 text-accent" strokeWidth={1.6} />
              <span className="grid flex-1">
                <span className="font-medium group-hover:underline">{text}</span>
                <span className="text-small text-muted">{purposes[to]}</span>
              </span>
              <ArrowRight
                aria-hidden
                className="size-5 shrink-0 text-muted transition-transform group-hover:translate-x-1"
              />
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
