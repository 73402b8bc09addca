/** Replaces a page whose session has ended, until the login page loads. */
export function SignedOutScreen({ loginPath }: { loginPath: string }) {
  return (
    <main className="grid min-h-dvh place-items-center p-6">
      <div className="grid justify-items-center gap-1">
        <div role="status">
          <h1 className="text-muted">You are signed out.</h1>
        </div>
        <a href={loginPath} className="py-2 underline">
          Sign in
        </a>
      </div>
    </main>
  );
}
