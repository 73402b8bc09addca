/** Names of the tables that users see, for one row and for several rows. */
const NAMES: Record<string, [one: string, many: string]> = {
  User: ['Your profile', 'Your profile'],
  Password: ['Your password', 'Your password'],
  Totp: ['Your second factor', 'Your second factor'],
  RecoveryCode: ['recovery code', 'recovery codes'],
  Passkey: ['passkey', 'passkeys'],
  Connection: ['connected account', 'connected accounts'],
  Picture: ['Your picture', 'Your picture'],
  Session: ['session on record', 'sessions on record'],
  OauthSession: ['store that you connected', 'stores that you connected'],
  Activity: ['entry of the activity log', 'entries of the activity log'],
  MailedCode: ['code or key sent by mail', 'codes and keys sent by mail'],
  OutgoingMail: ['mail waiting to be sent', 'mails waiting to be sent'],
};

/** A list of the erased tables, or of those to erase, with the number of rows. */
export function ErasedRows({ counts }: { counts: Record<string, number> }) {
  const rows = Object.entries(NAMES).flatMap(([table, [one, many]]) => {
    const count = counts[table] ?? 0;
    if (count === 0) return [];
    const name = count === 1 ? one : many;
    return [{ table, text: name.startsWith('Your') ? name : `${count} ${name}` }];
  });
  return (
    <ul className="grid list-disc gap-1.5 pl-5 text-muted marker:text-danger">
      {rows.map(({ table, text }) => (
        <li key={table}>{text}</li>
      ))}
    </ul>
  );
}
