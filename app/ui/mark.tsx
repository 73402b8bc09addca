/** The logo of Latchkey: a keyhole in a plate. */
function Logo({ className = 'size-7' }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true" focusable="false">
      <rect x="5" y="1.5" width="22" height="29" rx="9" className="fill-accent" />
      <path
        d="M16 8.2a4.3 4.3 0 0 0-2.25 7.96L12.4 22.6c-.13.64.36 1.2 1 1.2h5.2c.64 0 1.13-.56 1-1.2l-1.35-6.44A4.3 4.3 0 0 0 16 8.2Z"
        className="fill-ground"
      />
    </svg>
  );
}

/** The logo with the name. */
export function Wordmark() {
  return (
    <span className="inline-flex items-center gap-2.5">
      <Logo />
      <span className="text-lead font-semibold tracking-tight">Latchkey</span>
    </span>
  );
}
