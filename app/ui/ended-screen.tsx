/** In place of a page whose session is over, until the login page is there. */
export function EndedScreen() {
  return (
    <main className="grid min-h-dvh place-items-center p-6">
      <p role="status" className="text-muted">
        You are signed out. <a href="/login">Sign in</a>
      </p>
    </main>
  );
}
