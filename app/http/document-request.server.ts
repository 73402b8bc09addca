/** True when the browser itself asks, to show the answer as a page; false when a script does. */
export function isDocumentRequest(request: Request): boolean {
  return request.headers.get('accept')?.includes('text/html') ?? false;
}
