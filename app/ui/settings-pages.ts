import { KeyRound, MonitorSmartphone, Package, UserRound } from 'lucide-react';

/** The pages of the settings, in the order in which they are offered. */
export const settingsPages = [
  { to: '/settings/sessions', text: 'Your sessions', Icon: MonitorSmartphone },
  { to: '/settings/profile', text: 'Profile', Icon: UserRound },
  { to: '/settings/password', text: 'Password', Icon: KeyRound },
  { to: '/settings/data', text: 'Your data', Icon: Package },
] as const;
