import { Form } from '@remix-run/react';
import { useId } from 'react';
import { Button } from '#app/ui/button.tsx';

/** What a page shows of a provider. */
interface OfferedProvider {
  id: string;
  name: string;
}

interface ProviderButtonsProps {
  providers: OfferedProvider[];
  /** The path to go to after the sign-in. */
  redirectTo: string;
}

/** "Continue with …", one button for each provider; nothing if there is none. */
export function ProviderButtons({ providers, redirectTo }: ProviderButtonsProps) {
  const id = useId();
  if (providers.length === 0) return null;
  return (
    // `reloadDocument`: a script cannot follow a redirect to another site's page, but the browser can.
    <Form method="post" reloadDocument aria-label="Other ways" className="grid gap-3">
      <p className="flex items-center gap-4 text-small text-muted before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        or
      </p>
      <input type="hidden" name="redirectTo" value={redirectTo} />
      {providers.map((provider) => (
        <Button
          key={provider.id}
          look="secondary"
          formAction={`/login/provider/${provider.id}`}
          className="w-full"
        >
          <span className="truncate">Continue with {provider.name}</span>
        </Button>
      ))}
      <div className="mt-1 flex gap-3">
        <input
          type="checkbox"
          id={id}
          name="remember"
          className="mt-0.5 size-5 shrink-0 accent-(--accent)"
        />
        <label htmlFor={id}>Stay signed in on this device</label>
      </div>
    </Form>
  );
}
