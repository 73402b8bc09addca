import type { ReactNode } from 'react';

/** A narrow, centred page with one form. */
export function FormPage({
  title,
  lead,
  children,
}: {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className="mx-auto w-full max-w-104 px-5 py-12 sm:py-20">
      <h1 className="text-title font-semibold">{title}</h1>
      {lead && <p className="mt-2 text-muted">{lead}</p>}
      <div className="mt-8 grid gap-6">{children}</div>
    </div>
  );
}

/** The heading of a settings page, with an optional action next to it. */
export function SettingsHeading({
  title,
  lead,
  action,
}: {
  title: string;
  lead?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="mb-8 flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
      <h1 className="text-title font-semibold">{title}</h1>
      {lead && (
        // Full width, so that it is on its own line even after a short title.
        <div className="order-last w-full sm:-mt-2">
          <p className="max-w-136 text-muted">{lead}</p>
        </div>
      )}
      {action && <div className="max-sm:order-last">{action}</div>}
    </div>
  );
}

/** A message above a form. */
export function Notice({ children }: { children: ReactNode }) {
  return (
    <div role="status" className="rounded-xl bg-glow px-4 py-3 text-ink">
      {children}
    </div>
  );
}
