import { CircleHelp, Laptop, Smartphone, SquareTerminal, Tablet } from 'lucide-react';

const icons = {
  computer: Laptop,
  phone: Smartphone,
  tablet: Tablet,
  program: SquareTerminal,
  unknown: CircleHelp,
} as const;

/** An icon for the kind of device. Hidden from screen readers, because the name is next to it. */
export function DeviceIcon({ kind, className }: { kind: keyof typeof icons; className: string }) {
  const Icon = icons[kind];
  // In landscape, so that it does not look like a phone.
  const turn = kind === 'tablet' ? 'rotate-90' : '';
  return <Icon aria-hidden className={`${turn} ${className}`} strokeWidth={1.6} />;
}
