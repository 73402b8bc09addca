/** Tells the user what "This wasn't me" will do, before they confirm it. */
export function NotMeConsequences({ email, hasMail }: { email: string | null; hasMail: boolean }) {
  return (
    <ul className="grid list-disc gap-1.5 pl-5 text-muted">
      <li>Every device is signed out at once, this one too.</li>
      {hasMail ? (
        <li>
          A code is mailed to{' '}
          {email ? <span className="wrap-anywhere">{email}</span> : 'the address of the account'}.
          With it you choose a new password.
        </li>
      ) : (
        <li>You sign in again, and should change your password then.</li>
      )}
      <li>What somebody else has added, such as a passkey, stays until you remove it.</li>
    </ul>
  );
}
