import { KeyRound, MonitorSmartphone, Package, UserRound } from 'lucide-react';

/** The pages of the settings, in the order in which they are offered; the short name is for a phone. */
export const settingsPages = [
  { to: '/settings/sessions', text: 'Your sessions', short: 'Sessions', Icon: MonitorSmartphone },
  { to: '/settings/profile', text: 'Profile', short: 'Profile', Icon: UserRound },
  { to: '/settings/password', text: 'Password', short: 'Password', Icon: KeyRound },
  { to: '/settings/data', text: 'Your data', short: 'Data', Icon: Package },
] as const;
