import { Link, type LinkProps } from '@remix-run/react';
import type { ButtonHTMLAttributes } from 'react';

type Look = 'primary' | 'secondary' | 'quiet' | 'danger' | 'quiet-danger';

const shape =
  'inline-flex min-h-11 items-center justify-center gap-2 rounded-xl px-5 font-medium whitespace-nowrap transition-colors sm:min-h-10 aria-disabled:cursor-progress aria-disabled:opacity-70';

const looks: Record<Look, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong',
  secondary: 'border border-control bg-raised text-ink hover:bg-sunken',
  quiet: 'text-ink hover:bg-sunken',
  danger: 'bg-danger text-on-danger hover:bg-danger-strong',
  'quiet-danger': 'text-danger hover:bg-danger-glow',
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  /** While true, the button shows `pendingText` and does nothing. */
  pending?: boolean;
  pendingText?: string;
}

/** A button. It keeps the focus while its form is submitted. */
export function Button({
  look = 'primary',
  pending = false,
  pendingText,
  className = '',
  children,
  type = 'submit',
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      aria-disabled={pending || undefined}
      onClick={pending ? (event) => event.preventDefault() : rest.onClick}
      className={`${shape} ${looks[look]} ${className}`}
    >
      {pending && pendingText ? pendingText : children}
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({
  look = 'secondary',
  className = '',
  ...rest
}: LinkProps & { look?: Look }) {
  return <Link {...rest} className={`${shape} ${looks[look]} ${className}`} />;
}
