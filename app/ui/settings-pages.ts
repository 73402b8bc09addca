import { History, KeyRound, MonitorSmartphone, Package, UserRound } from 'lucide-react';

/**
 * The pages of the settings, in the order in which they are offered; the short name is for a phone,
 * and what stands in `with` are pages that belong to it without an address below it.
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
