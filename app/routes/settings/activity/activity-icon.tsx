import {
  Download,
  KeyRound,
  KeySquare,
  Link2,
  Link2Off,
  LogIn,
  LogOut,
  Mail,
  ShieldAlert,
  ShieldCheck,
  ShieldOff,
  Siren,
  Ticket,
  UserRoundPlus,
  type LucideIcon,
} from 'lucide-react';

const icons: Record<string, LucideIcon> = {
  'signed-up': UserRoundPlus,
  'signed-in': LogIn,
  'sign-in-failed': ShieldAlert,
  'password-changed': KeyRound,
  'password-reset': KeyRound,
  'email-changed': Mail,
  'email-change-undone': Mail,
  'totp-on': ShieldCheck,
  'totp-off': ShieldOff,
  'recovery-codes-new': Ticket,
  'recovery-code-used': Ticket,
  'passkey-added': KeyRound,
  'passkey-removed': KeyRound,
  'connection-added': Link2,
  'connection-removed': Link2Off,
  'session-ended': LogOut,
  'sessions-ended': LogOut,
  'token-made': KeySquare,
  'token-revoked': KeySquare,
  'tokens-revoked': KeySquare,
  'download-made': Download,
  'not-me': Siren,
};

/** Decorative: the text beside it says what happened. */
export function ActivityIcon({ kind, className }: { kind: string; className: string }) {
  const Icon = icons[kind] ?? ShieldCheck;
  return <Icon aria-hidden className={className} strokeWidth={1.6} />;
}
