import { expect, test } from 'vitest';
import { isSameOrigin } from '#app/http/same-origin.server.ts';

const OWN = 'https://latchkey.example';
const post = (origin?: string, fetchSite?: string) => ({ method: 'POST', origin, fetchSite });

test.each([
  ['both headers say so', post(OWN, 'same-origin')],
  ['only Origin says so', post(OWN)],
  ['only Sec-Fetch-Site says so', post(undefined, 'same-origin')],
])('a form submission has the same origin if %s', (_when, source) => {
  expect(isSameOrigin(source, OWN)).toBe(true);
});

test.each([
  ['both headers are missing', post()],
  ['the origin is another one', post('https://evil.example')],
  [
    'the origin is another one, in spite of Sec-Fetch-Site',
    post('https://evil.example', 'same-origin'),
  ],
  ['the origin is a subdomain', post('https://a.latchkey.example')],
  ['the origin is the parent domain', post('https://example')],
  ['the origin begins like ours', post('https://latchkey.example.evil.example')],
  ['the origin ends like ours', post('https://evil-latchkey.example')],
  ['the origin has another scheme', post('http://latchkey.example')],
  ['the origin has another port', post('https://latchkey.example:8443')],
  ['the origin has another case', post('https://LATCHKEY.example')],
  ['the origin has a path', post(`${OWN}/`)],
  ['the origin is "null"', post('null')],
  ['the origin is "null", in spite of Sec-Fetch-Site', post('null', 'same-origin')],
  ['the origin is empty', post('')],
  ['Sec-Fetch-Site is cross-site', post(OWN, 'cross-site')],
  ['Sec-Fetch-Site is same-site', post(OWN, 'same-site')],
  ['Sec-Fetch-Site is none', post(OWN, 'none')],
  ['Sec-Fetch-Site is invalid', post(undefined, 'nonsense')],
  ['Sec-Fetch-Site is empty', post(undefined, '')],
])('a form submission does not have the same origin if %s', (_when, source) => {
  expect(isSameOrigin(source, OWN)).toBe(false);
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'post', 'get', 'PROPFIND', 'CONNECT', ''])(
  'a request with the method "%s" needs proof of the same origin',
  (method) => {
    expect(isSameOrigin({ method, origin: undefined, fetchSite: undefined }, OWN)).toBe(false);
  },
);

test.each(['GET', 'HEAD', 'OPTIONS'])('a %s request is accepted from any origin', (method) => {
  const source = { method, origin: 'https://evil.example', fetchSite: 'cross-site' };
  expect(isSameOrigin(source, OWN)).toBe(true);
});
