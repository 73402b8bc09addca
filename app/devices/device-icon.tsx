import { CircleHelp, Laptop, Smartphone, SquareTerminal, Tablet } from 'lucide-react';

const icons = {
  computer: Laptop,
  phone: Smartphone,
  tablet: Tablet,
  program: SquareTerminal,
  unknown: CircleHelp,
} as const;

/** A picture of the kind of device; its name stands beside it. */
export function DeviceIcon({ kind, className }: { kind: keyof typeof icons; className: string }) {
  const Icon = icons[kind];
  // Lying on its side, a tablet is not taken for a phone.
  const turn = kind === 'tablet' ? 'rotate-90' : '';
  return <Icon aria-hidden className={`${turn} ${className}`} strokeWidth={1.6} />;
}
