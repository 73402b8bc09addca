import { CircleHelp, Laptop, Smartphone, SquareTerminal, Tablet } from 'lucide-react';

const icons = {
  computer: Laptop,
  phone: Smartphone,
  tablet: Tablet,
  program: SquareTerminal,
  unknown: CircleHelp,
} as const;

/** A picture of the kind of device; its name stands beside it. */
export function DeviceIcon({ kind, className }: { kind: keyof typeof icons; className?: string }) {
  const Icon = icons[kind];
  return <Icon aria-hidden className={className} strokeWidth={1.6} />;
}
