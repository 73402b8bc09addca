import { History, KeyRound, MonitorSmartphone, Package, UserRound } from 'lucide-react';

/**
 * The settings pages, in the order of the menu. `short` is the name on a phone. `with` lists pages that
 * belong to the entry, but whose paths are not below its path.
 */
export const settingsPages = [
  {
    to: '/settings/sessions',
    text: 'Your sessions',
    short: 'Sessions',
    Icon: MonitorSmartphone,
    with: ['/settings/tokens'],
  },
  {
    to: '/settings/profile',
    text: 'Profile',
    short: 'Profile',
    Icon: UserRound,
    with: ['/settings/email'],
  },
  {
    to: '/settings/security',
    text: 'Signing in',
    short: 'Signing in',
    Icon: KeyRound,
    with: [
      '/settings/password',
      '/settings/two-factor',
      '/settings/passkeys',
      '/settings/connections',
    ],
  },
  { to: '/settings/activity', text: 'Activity', short: 'Activity', Icon: History, with: [] },
  { to: '/settings/data', text: 'Your data', short: 'Data', Icon: Package, with: [] },
] as const;
