import { expect, test } from 'vitest';
import { isSameOrigin } from '#app/http/same-origin.server.ts';

const OWN = 'https://latchkey.example';
const post = (origin?: string, fetchSite?: string) => ({ method: 'POST', origin, fetchSite });

test.each([
  ['both say so', post(OWN, 'same-origin')],
  ['only the origin says so', post(OWN)],
  ['only Fetch Metadata says so', post(undefined, 'same-origin')],
])('a form is of our own page when %s', (_when, source) => {
  expect(isSameOrigin(source, OWN)).toBe(true);
});

test.each([
  ['nothing says anything', post()],
  ['the origin is another', post('https://evil.example')],
  ['the origin is another, whatever else is said', post('https://evil.example', 'same-origin')],
  ['the origin is a subdomain', post('https://a.latchkey.example')],
  ['the origin is the parent domain', post('https://example')],
  ['the origin begins like ours', post('https://latchkey.example.evil.example')],
  ['the origin ends like ours', post('https://evil-latchkey.example')],
  ['the origin is of another scheme', post('http://latchkey.example')],
  ['the origin is of another port', post('https://latchkey.example:8443')],
  ['the origin is in another case', post('https://LATCHKEY.example')],
  ['the origin has a path', post(`${OWN}/`)],
  ['the origin is withheld', post('null')],
  ['the origin is withheld, whatever else is said', post('null', 'same-origin')],
  ['the origin is empty', post('')],
  ['it comes from another site', post(OWN, 'cross-site')],
  ['it comes from a sister', post(OWN, 'same-site')],
  ['it comes from no page', post(OWN, 'none')],
  ['it comes from who knows where', post(undefined, 'nonsense')],
  ['it comes from nowhere', post(undefined, '')],
])('a form is not when %s', (_when, source) => {
  expect(isSameOrigin(source, OWN)).toBe(false);
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'post', 'get', 'PROPFIND', 'CONNECT', ''])(
  'a request with the method "%s" may change something',
  (method) => {
    expect(isSameOrigin({ method, origin: undefined, fetchSite: undefined }, OWN)).toBe(false);
  },
);

test.each(['GET', 'HEAD', 'OPTIONS'])('a request with %s may not, and is let in', (method) => {
  const source = { method, origin: 'https://evil.example', fetchSite: 'cross-site' };
  expect(isSameOrigin(source, OWN)).toBe(true);
});
