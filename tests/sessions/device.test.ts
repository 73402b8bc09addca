import { expect, test } from 'vitest';
import { describeDevice } from '#app/sessions/device.ts';
import { expectOnceWithin, startCpuTimer } from '../fixtures/best-round.ts';

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0';
const IOS = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';

test.each([
  [
    'computer',
    'Firefox on Mac',
    'Firefox 145 on Mac',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0',
  ],
  [
    'computer',
    'Firefox on Windows',
    'Firefox 145 on Windows',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0',
  ],
  [
    'computer',
    'Firefox on Linux',
    'Firefox 145 on Linux',
    'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  ],
  [
    'computer',
    'Chrome on Windows',
    'Chrome 142 on Windows',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`,
  ],
  [
    'computer',
    'Chrome on Mac',
    'Chrome 142 on Mac',
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${CHROME} Safari/537.36`,
  ],
  [
    'computer',
    'Chrome on Linux',
    'Chrome 142 on Linux',
    `Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36`,
  ],
  [
    'computer',
    'Chrome on Chromebook',
    'Chrome 142 on Chromebook',
    `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`,
  ],
  [
    'computer',
    'Edge on Windows',
    'Edge 142 on Windows',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/142.0.0.0`,
  ],
  [
    'computer',
    'Opera on Windows',
    'Opera 124 on Windows',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 OPR/124.0.0.0`,
  ],
  [
    'computer',
    'Vivaldi on Linux',
    'Vivaldi 7 on Linux',
    `Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36 Vivaldi/7.6`,
  ],
  [
    'computer',
    'Safari on Mac',
    'Safari 18 on Mac',
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${IOS} Version/18.6 Safari/605.1.15`,
  ],
  [
    'phone',
    'Safari on iPhone',
    'Safari 18 on iPhone',
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) ${IOS} Version/18.6 Mobile/15E148 Safari/604.1`,
  ],
  [
    'phone',
    'Chrome on iPhone',
    'Chrome 142 on iPhone',
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) ${IOS} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1`,
  ],
  [
    'phone',
    'Firefox on iPhone',
    'Firefox 145 on iPhone',
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) ${IOS} FxiOS/145.0 Mobile/15E148 Safari/605.1.15`,
  ],
  [
    'tablet',
    'Safari on iPad',
    'Safari 12 on iPad',
    `Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) ${IOS} Version/12.1 Mobile/15E148 Safari/604.1`,
  ],
  [
    'phone',
    'Chrome on Android',
    'Chrome 142 on Android',
    `Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`,
  ],
  [
    'phone',
    'Firefox on Android',
    'Firefox 145 on Android',
    'Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0',
  ],
  [
    'phone',
    'Samsung Internet on Android',
    'Samsung Internet 28 on Android',
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36',
  ],
  [
    'tablet',
    'Chrome on Android',
    'Chrome 142 on Android',
    `Mozilla/5.0 (Linux; Android 14; SM-X710) ${CHROME} Safari/537.36`,
  ],
  [
    'phone',
    'Edge on Android',
    'Edge 142 on Android',
    `Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36 EdgA/142.0.0.0`,
  ],
  ['program', 'curl', 'curl 8', 'curl/8.5.0'],
  ['program', 'Wget', 'Wget 1', 'Wget/1.21.4'],
  ['program', 'python-requests', 'python-requests 2', 'python-requests/2.32.3'],
  ['program', 'okhttp', 'okhttp 4', 'okhttp/4.12.0'],
  ['program', 'node', 'node', 'node'],
  ['unknown', 'Unknown device', 'Unknown device', ''],
  ['unknown', 'Unknown device', 'Unknown device', '   '],
  ['unknown', 'Unknown device', 'Unknown device', '<script>alert(1)</script>'],
  ['unknown', 'Unknown device', 'Unknown device', '\u00ff\u00fe\u0000'],
  ['unknown', 'Unknown device', 'Unknown device', '1.2.3.4'],
])('a user agent of kind %s is described as %s (%s)', (kind, name, detail, userAgent) => {
  expect(describeDevice(userAgent)).toEqual({ kind, name, detail });
});

test.each([
  'x'.repeat(10_000),
  'Mozilla/5.0 '.repeat(1000),
  `Mozilla/5.0 (${'('.repeat(5000)}`,
  `${' '.repeat(10_000)}Firefox/145.0`,
  'Firefox/'.repeat(2000),
  `Mozilla/5.0 (Windows NT 10.0) Firefox/${'9'.repeat(1000)}`,
  '__proto__/1 constructor/2 toString/3',
  '%s%n%x ${jndi:ldap://x} {{7*7}}',
])('a hostile user agent gets a short description quickly', async (userAgent) => {
  let described = { name: '', detail: '' };
  await expectOnceWithin(250, () => {
    const cpuMs = startCpuTimer();
    described = describeDevice(userAgent);
    return Promise.resolve(cpuMs());
  });
  const { name, detail } = described;
  for (const text of [name, detail]) {
    expect(text).not.toBe('');
    expect(text.length).toBeLessThanOrEqual(80);
    expect(text).toMatch(/^[\w. -]+$/);
  }
});
