import { request as httpRequest } from 'node:http';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOG_ERROR, startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer, BrowserLike } from '../fixtures/browser-like.ts';
import { userIdOf } from '../fixtures/ids.ts';
import { openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { colourAt, PICTURE_PAGE, plain, sendPicture } from '../fixtures/pictures.ts';
import { attributeOf, fieldOnPage, tags, textOf } from './form-on-page.ts';

const PROFILE = '/settings/profile';
const MAX_BYTES = 10 * 1024 * 1024;
const NO_PICTURE = /no picture that can be shown here/;

let application: TestApplication;
let user: TestUser;
let photo: Buffer;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
  photo = await plain('red').jpeg().toBuffer();
});
afterAll(() => application.close());

const digestOf = (whose: { email: string }) =>
  application.sql<{ digest: string }>(
    'SELECT digest FROM "Picture" WHERE userId = ?',
    userIdOf(application, whose),
  )[0]?.digest ?? null;
/** Returns the URLs of the pictures on a page, in document order. */
const picturesOn = ({ text }: Answer) => tags(text, 'img').map((tag) => attributeOf(tag, 'src'));
const show = async (whose: Pick<TestUser, 'email' | 'browser'>, size = 256) =>
  (await whose.browser.get(`/picture/${digestOf(whose)}/${size}`)).bytes;
const errorsSince = (logStart: number) =>
  application.logged.slice(logStart).filter(({ level }) => level >= LOG_ERROR);
const expectRefused = (answer: Answer, says: string | RegExp) => {
  expect(answer.status, answer.text).toBe(400);
  const field = fieldOnPage(answer.text, 'picture');
  expect(field).toMatchObject({ isInvalid: true, hasFocus: true });
  expect(field.note).toMatch(says);
};

describe('an uploaded picture', () => {
  const kinds: [what: string, make: () => Promise<Buffer>][] = [
    ['JPEG', () => plain('green').jpeg().toBuffer()],
    ['progressive JPEG', () => plain('green').jpeg({ progressive: true }).toBuffer()],
    ['PNG', () => plain('green').png().toBuffer()],
    ['PNG of 16 bits per channel', () => plain('green').toColourspace('rgb16').png().toBuffer()],
    ['WebP', () => plain('green').webp().toBuffer()],
    ['AVIF', () => plain('green').avif({ effort: 0 }).toBuffer()],
    ['GIF', () => plain('green').gif().toBuffer()],
    ['JPEG of one pixel', () => plain('green', 1, 1).jpeg().toBuffer()],
    ['JPEG in CMYK', () => plain('green').toColourspace('cmyk').jpeg().toBuffer()],
  ];
  test.each(kinds)(
    'a picture in the format %s is saved, confirmed and shown at once',
    async (_what, make) => {
      const owner = await signUp(application);
      // The server ignores the file name and the declared type.
      const answer = await sendPicture(owner.browser, await make(), {
        filename: 'page.html',
        type: 'text/html',
      });
      expect(answer.location, textOf(answer.text)).toBe(PROFILE);
      const page = await owner.browser.follow(answer);
      expect(textOf(page.text)).toContain('Your picture is saved.');
      const digest = digestOf(owner);
      expect(picturesOn(page)).toEqual([`/picture/${digest}/64`, `/picture/${digest}/256`]);
      for (const [size, path] of [
        [64, `/picture/${digest}/64`],
        [256, `/picture/${digest}/256`],
      ] as const) {
        const { status, headers, bytes } = await owner.browser.get(path);
        expect(status).toBe(200);
        expect(headers).toMatchObject({
          'content-type': 'image/webp',
          'content-length': String(bytes.length),
          'cache-control': 'private, max-age=31536000, immutable',
          'x-content-type-options': 'nosniff',
          'cross-origin-resource-policy': 'same-origin',
        });
        expect(headers['set-cookie']).toBeUndefined();
        expect(headers['content-disposition']).toBeUndefined();
        const { format, width, height, exif, icc, xmp, pages } = await sharp(bytes).metadata();
        expect({ format, width, height }).toEqual({ format: 'webp', width: size, height: size });
        expect([exif, icc, xmp, pages]).toEqual([undefined, undefined, undefined, undefined]);
        expect(await colourAt(bytes, size / 2, size / 2)).toBe('green');
        const head = await owner.browser.ask(path, { method: 'HEAD' });
        expect(head.status).toBe(200);
        expect(head.headers['content-length']).toBe(String(bytes.length));
        expect(head.bytes).toHaveLength(0);
      }
    },
  );

  test('pictures have width, height and alt text, so that the page does not shift', async () => {
    const owner = await signUp(application);
    await sendPicture(owner.browser, photo);
    const images = tags((await owner.browser.get(PROFILE)).text, 'img');
    expect(images.map((image) => attributeOf(image, 'width'))).toEqual(['32', '96']);
    expect(images.map((image) => attributeOf(image, 'height'))).toEqual(['32', '96']);
    expect(images.map((image) => attributeOf(image, 'alt'))).toEqual(['', 'Your picture']);
  });

  test('a new picture replaces the old one, also if two are uploaded concurrently', async () => {
    const owner = await signUp(application);
    const blue = await plain('blue').png().toBuffer();
    const answers = await Promise.all([
      sendPicture(owner.browser, photo),
      sendPicture(owner.browser, blue),
    ]);
    expect(answers.map(({ location }) => location)).toEqual([PROFILE, PROFILE]);
    const before = digestOf(owner);
    expect(['red', 'blue']).toContain(await colourAt(await show(owner), 10, 10));
    await sendPicture(owner.browser, await plain('green').webp().toBuffer());
    const rows = application.sql(
      'SELECT digest FROM "Picture" WHERE userId = ?',
      userIdOf(application, owner),
    );
    expect(rows).toHaveLength(1);
    expect((await owner.browser.get(`/picture/${before}/256`)).status).toBe(404);
  });

  test('concurrent uploads beyond the limit are answered 503 with Retry-After', async () => {
    const owner = await signUp(application);
    const answers = await Promise.all([1, 2, 3, 4].map(() => sendPicture(owner.browser, photo)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses.filter((status) => status === 302).length).toBeGreaterThanOrEqual(2);
    for (const answer of answers.filter(({ status }) => status !== 302)) {
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBe('10');
      expect(fieldOnPage(answer.text, 'picture').note).toMatch(/still being sent/);
    }
    // Every upload freed its slot.
    for (let count = 0; count < 8; count += 1) {
      expect((await sendPicture(owner.browser, photo)).status).toBe(302);
    }
  });

  test('an upload that the client aborts frees its slot', async () => {
    const owner = await signUp(application);
    const token = await owner.browser.sessionToken();
    const address = `http://localhost:${application.port}${PICTURE_PAGE}`;
    const hangUp = () =>
      new Promise<void>((resolve) => {
        const request = httpRequest(address, {
          method: 'POST',
          headers: {
            Origin: application.origin,
            Cookie: `session=${token}`,
            'Content-Type': 'multipart/form-data; boundary=x',
            'Content-Length': 5_000_000,
          },
        });
        request.on('error', () => undefined).on('close', resolve);
        request.write(
          '--x\r\nContent-Disposition: form-data; name="picture"; filename="x"\r\n\r\n',
        );
        request.write(Buffer.alloc(100_000), () => request.destroy());
      });
    const logStart = application.logged.length;
    await Promise.all([1, 2, 3, 4, 5, 6].map(hangUp));
    await expect
      .poll(async () => (await sendPicture(owner.browser, photo)).status, { timeout: 20_000 })
      .toBe(302);
    expect(errorsSince(logStart)).toEqual([]);
  });

  test('an upload by script gets the same result as data', async () => {
    const owner = await signUp(application);
    const path = `${PICTURE_PAGE}.data`;
    expect((await sendPicture(owner.browser, photo, { path })).status).toBe(202);
    expect(digestOf(owner)).not.toBeNull();
    const refused = await sendPicture(owner.browser, Buffer.from('x'), { path });
    expect(refused.status).toBe(400);
    expect(refused.text).toMatch(NO_PICTURE);
  });
});

describe('other data in a picture file', () => {
  /** Returns a JPEG that is red on the left and blue on the right, with this EXIF orientation. */
  const halves = (orientation: number) =>
    sharp({ create: { width: 200, height: 100, channels: 3, background: 'red' } })
      .composite([
        {
          input: { create: { width: 100, height: 100, channels: 3, background: 'blue' } },
          left: 100,
          top: 0,
        },
      ])
      .withMetadata({ orientation })
      .jpeg()
      .toBuffer();

  test('location, camera and comments are removed from a picture', async () => {
    const owner = await signUp(application);
    const canary = 'CANARY-of-a-camera';
    const file = await plain('red')
      .withExif({
        IFD0: { Make: canary, Copyright: canary },
        IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '48/1 12/1 30/1', GPSProcessingMethod: canary },
      })
      .jpeg()
      .toBuffer();
    expect(file.includes(canary)).toBe(true);
    expect(file.includes('Exif')).toBe(true);
    await sendPicture(owner.browser, file, { filename: 'CANARY-of-a-name.jpg' });
    for (const size of [64, 256]) {
      const kept = await show(owner, size);
      expect(kept.subarray(8, 12).toString()).toBe('WEBP');
      for (const trace of [canary, 'CANARY', 'Exif', 'EXIF', 'GPS', 'XMP', 'ICCP']) {
        expect(kept.includes(trace), `${trace} in ${size}`).toBe(false);
      }
    }
    expect(JSON.stringify(application.logged)).not.toContain('CANARY');
    expect(application.everything()).not.toContain('CANARY');
  });

  test.each([
    [1, { left: 'red', right: 'blue' }],
    [3, { left: 'blue', right: 'red' }],
    [6, { above: 'red', below: 'blue' }],
    [8, { above: 'blue', below: 'red' }],
  ] as const)(
    'a picture is rotated by its EXIF orientation %i before the EXIF is removed',
    async (orientation, colours) => {
      const owner = await signUp(application);
      await sendPicture(owner.browser, await halves(orientation));
      const kept = await show(owner);
      const places = { left: [20, 128], right: [236, 128], above: [128, 20], below: [128, 236] };
      for (const [place, colour] of Object.entries(colours)) {
        const [left, top] = places[place as keyof typeof places] as [number, number];
        expect(await colourAt(kept, left, top), place).toBe(colour);
      }
    },
  );

  test('only the first frame of an animation is kept', async () => {
    const frames = await Promise.all(
      ['green', 'red', 'blue'].map((colour) => plain(colour, 50, 50).png().toBuffer()),
    );
    const animation = sharp(frames, { join: { animated: true } });
    for (const file of [
      await animation.clone().gif().toBuffer(),
      await animation.clone().webp().toBuffer(),
    ]) {
      const owner = await signUp(application);
      expect((await sharp(file).metadata()).pages).toBe(3);
      await sendPicture(owner.browser, file);
      const kept = await show(owner);
      expect((await sharp(kept).metadata()).pages ?? 1).toBe(1);
      expect(await colourAt(kept, 128, 128)).toBe('green');
    }
  });

  test('a script and an archive appended to a picture are removed', async () => {
    const owner = await signUp(application);
    const script = '<script>alert("CANARY")</script>';
    const tail = Buffer.concat([Buffer.from(script), Buffer.from('PK\u0003\u0004CANARY')]);
    const gif = await plain('green', 20, 20).gif().toBuffer();
    for (const file of [Buffer.concat([photo, tail]), Buffer.concat([gif, tail])]) {
      expect((await sendPicture(owner.browser, file)).location).toBe(PROFILE);
      expect((await show(owner)).includes('CANARY')).toBe(false);
    }
  });
});

describe('a file that is not a picture', () => {
  let before: string;
  beforeAll(() => {
    before = application.everything();
  });
  afterAll(() => expect(application.everything()).toBe(before));

  const svg = (inside: string) =>
    Buffer.from(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">${inside}</svg>`);
  const files: [what: string, make: () => Buffer | Promise<Buffer>][] = [
    ['an HTML page', () => Buffer.from('<!doctype html><script>1</script>')],
    ['an SVG', () => svg('<rect width="9" height="9"/>')],
    ['an SVG with a script', () => svg('<script>alert(1)</script>')],
    ['an SVG that refers to a file', () => svg('<image href="file:///etc/passwd"/>')],
    ['a TIFF', () => plain('red').tiff().toBuffer()],
    ['a PDF', () => Buffer.from('%PDF-1.7\n1 0 obj<<>>endobj')],
    ['a PPM', () => Buffer.from('P6 1 1 255 abc')],
    ['a ZIP archive', () => Buffer.from('PK\u0003\u0004\u0014')],
    ['an executable', () => Buffer.from('\u007fELF\u0002\u0001\u0001')],
    ['a GIF header followed by a script', () => Buffer.from('GIF89a/*\u0000\u0000*/=1;alert(1)')],
    ['only the first bytes of a JPEG', () => Buffer.from([0xff, 0xd8, 0xff, 0xe0])],
    ['zeros', () => Buffer.alloc(5000)],
    ['a single byte', () => Buffer.from('x')],
  ];
  test.each(files)('%s in place of a picture is refused next to the field', async (_what, make) => {
    const logStart = application.logged.length;
    expectRefused(await sendPicture(user.browser, await make()), /no picture|damaged/);
    expect(errorsSince(logStart)).toEqual([]);
  });

  test.each([
    ['jpeg', 'damaged'],
    ['png', 'damaged'],
    ['webp', 'no picture|damaged'],
    ['gif', 'no picture|damaged'],
    ['avif', 'no picture|damaged'],
  ] as const)('a truncated %s is refused', async (format, says) => {
    const noise = sharp({
      create: {
        width: 200,
        height: 200,
        channels: 3,
        background: 'red',
        noise: { type: 'gaussian', mean: 128, sigma: 30 },
      },
    });
    const whole = await noise.toFormat(format).toBuffer();
    for (const share of [0.5, 0.98]) {
      const file = whole.subarray(0, Math.floor(whole.length * share));
      expectRefused(await sendPicture(user.browser, file), new RegExp(says));
    }
  });

  test('a HEIC file is refused with the advice to use JPEG', async () => {
    const box = Buffer.from(
      '\u0000\u0000\u0000\u0018ftypheic\u0000\u0000\u0000\u0000mif1heic',
      'latin1',
    );
    const file = Buffer.concat([box, Buffer.alloc(200)]);
    expectRefused(await sendPicture(user.browser, file), /HEIC.*JPEG/);
  });

  test('a form without a file is refused next to the field', async () => {
    const nothing = await sendPicture(user.browser, Buffer.alloc(0), { filename: '' });
    expectRefused(nothing, 'Choose a picture.');
    expectRefused(await sendPicture(user.browser, Buffer.alloc(0)), 'Choose a picture.');
  });

  test.each([
    ['under another field name', { field: 'file' }],
    ['under a field name with an index', { field: 'picture[0]' }],
    ['with the content type of an image', { headers: { 'Content-Type': 'image/jpeg' } }],
    ['without a boundary', { headers: { 'Content-Type': 'multipart/form-data' } }],
    ['with another boundary', { headers: { 'Content-Type': 'multipart/form-data; boundary=x' } }],
  ])('a picture %s is answered 400 without an error in the log', async (_what, options) => {
    const logStart = application.logged.length;
    expect((await sendPicture(user.browser, photo, options)).status).toBe(400);
    expect(errorsSince(logStart)).toEqual([]);
  });

  test.each([
    '../../../etc/passwd',
    '<script>alert(1)</script>',
    'a%22b',
    'C:\\\\me.jpg',
    '.htaccess',
    'x'.repeat(5000),
    '\u202Egpj.exe',
    'NUL',
  ])('the file name "%s" appears neither on the page nor in the log', async (filename) => {
    const logStart = application.logged.length;
    const { status, text } = await sendPicture(user.browser, Buffer.from('x'), { filename });
    expect(status).toBe(400);
    expect(text).not.toContain(filename);
    expect(JSON.stringify(application.logged.slice(logStart))).not.toContain(filename);
  });
});

describe('upload size limits', () => {
  test('a picture of 10 MB is accepted, and a larger one is refused next to the field', async () => {
    const owner = await signUp(application);
    const padded = Buffer.concat([photo, Buffer.alloc(MAX_BYTES - photo.length)]);
    expect((await sendPicture(owner.browser, padded)).location).toBe(PROFILE);
    const digest = digestOf(owner);
    for (const size of [MAX_BYTES + 1, MAX_BYTES + 100_000, 30 * 1024 * 1024]) {
      const answer = await sendPicture(owner.browser, Buffer.concat([photo], size));
      expectRefused(answer, 'larger than 10 MB');
    }
    expect(digestOf(owner)).toBe(digest);
  });

  // Otherwise the browser would show a connection error in place of the answer.
  test('a client whose upload is refused early can still send the rest of it', async () => {
    const token = await user.browser.sessionToken();
    const address = `http://localhost:${application.port}${PICTURE_PAGE}`;
    const outcome = new Promise<string>((resolve) => {
      const headers = {
        Origin: application.origin,
        Cookie: `session=${token}`,
        Connection: 'keep-alive',
        'Content-Type': 'multipart/form-data; boundary=x',
        'Content-Length': 30_000_000,
      };
      const request = httpRequest(address, { method: 'POST', headers });
      request.on('response', (response) => response.resume());
      request.on('error', (error) => resolve(error.message));
      request.on('finish', () => resolve('all sent'));
      request.end(Buffer.alloc(30_000_000));
    });
    expect(await outcome).toBe('all sent');
  });

  test('an upload is refused if its Content-Length says 100 MB', async () => {
    const headers = { 'Content-Length': '100000000', Connection: 'close' };
    const answer = await sendPicture(user.browser, photo, { headers });
    expect(answer.status).toBe(413);
  });

  test('an upload without a Content-Length is refused', async () => {
    const headers = { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' };
    expect((await sendPicture(user.browser, photo, { headers })).status).toBe(411);
  });

  test.each([PROFILE, `${PICTURE_PAGE}/remove`, '/login', '/picture/x/64'])(
    'a picture upload to %s, which takes no files, is answered 413',
    async (path) => {
      const file = Buffer.alloc(70_000);
      expect((await sendPicture(user.browser, file, { path })).status).toBe(413);
    },
  );

  test('an upload of 10 MB by a signed-out visitor is redirected to the login page', async () => {
    const answer = await sendPicture(openBrowser(application), Buffer.alloc(MAX_BYTES));
    expect(answer.location).toMatch(/^\/login/);
  });

  /** Returns a black PNG of this width and height in pixels, compressed about a thousandfold. */
  const decompressionBomb = (side: number) => {
    const chunk = (type: string, content: Buffer) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(content.length);
      const body = Buffer.concat([Buffer.from(type), content]);
      const sum = Buffer.alloc(4);
      sum.writeUInt32BE(crc32(body));
      return Buffer.concat([length, body, sum]);
    };
    const head = Buffer.alloc(13);
    head.writeUInt32BE(side, 0);
    head.writeUInt32BE(side, 4);
    head.set([1, 0, 0, 0, 0], 8);
    return Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk('IHDR', head),
      chunk('IDAT', deflateSync(Buffer.alloc((side / 8 + 1) * side))),
      chunk('IEND', Buffer.alloc(0)),
    ]);
  };

  test('a small file of a thousand million pixels is refused before decoding', async () => {
    const file = decompressionBomb(32_768);
    expect(file.length).toBeLessThan(MAX_BYTES / 10);
    const before = process.memoryUsage().rss;
    expectRefused(await sendPicture(user.browser, file), 'too many pixels');
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    expect((await sendPicture(user.browser, photo)).location).toBe(PROFILE);
  });

  test('an AVIF of too many pixels is refused, even if its header declares fewer', async () => {
    const file = await plain('red', 5000, 4000).avif({ effort: 0 }).toBuffer();
    expectRefused(await sendPicture(user.browser, file), 'too many pixels');
    const forged = Buffer.from(file);
    const size = forged.indexOf('ispe');
    forged.writeUInt32BE(100, size + 8);
    forged.writeUInt32BE(100, size + 12);
    expectRefused(await sendPicture(user.browser, forged), 'damaged');
  });
});

describe('access to a picture', () => {
  test('a picture is visible to its owner on every device, and to no one else', async () => {
    const owner = await signUp(application);
    const other = await signUp(application);
    await sendPicture(owner.browser, photo);
    await sendPicture(other.browser, await plain('blue').png().toBuffer());
    const own = `/picture/${digestOf(owner)}/64`;
    const others = await owner.browser.get(`/picture/${digestOf(other)}/64`);
    const missing = await owner.browser.get(`/picture/${'A'.repeat(43)}/64`);
    expect(others.status).toBe(404);
    expect(missing.status).toBe(404);
    expect(others.text).toBe(missing.text);
    for (const { headers } of [others, missing]) {
      expect(headers['cache-control']).toBe('no-store');
    }
    const phone = await signIn(application, owner);
    expect((await phone.get(own)).status).toBe(200);
    const stranger = await openBrowser(application).get(own);
    expect(stranger.location).toMatch(/^\/login/);
    expect(stranger.headers['cache-control']).toBe('no-store');
    await phone.post('/logout', {});
    expect((await phone.get(own)).location).toMatch(/^\/login/);
    expect(picturesOn(await openBrowser(application).get('/'))).toEqual([]);
  });

  test.each([
    '/picture/x/64',
    '/picture/%00/64',
    `/picture/${'A'.repeat(5000)}/64`,
    '/picture/..%2f/64',
    '/picture/DIGEST/65',
    '/picture/DIGEST/constructor',
    '/picture/DIGEST/0',
    '/picture/DIGEST',
  ])('the picture path %s is answered 404 and not cached', async (path) => {
    const owner = await signUp(application);
    await sendPicture(owner.browser, photo);
    const logStart = application.logged.length;
    const answer = await owner.browser.get(path.replace('DIGEST', digestOf(owner)!));
    expect(answer.status).toBe(404);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(errorsSince(logStart)).toEqual([]);
  });

  test('another site can neither set nor remove a picture', async () => {
    const owner = await signUp(application);
    await sendPicture(owner.browser, photo);
    const digest = digestOf(owner);
    const headers = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
    const blue = await plain('blue').png().toBuffer();
    expect((await sendPicture(owner.browser, blue, { headers })).status).toBe(403);
    const removal = await owner.browser.post(`${PICTURE_PAGE}/remove`, {}, { headers });
    expect(removal.status).toBe(403);
    expect(digestOf(owner)).toBe(digest);
  });

  test('a page reads the session in one statement, with a picture and without', async () => {
    const owner = await signUp(application);
    const statementsOf = async (browser: BrowserLike) => {
      const before = application.statements.length;
      await browser.get('/nothing/here');
      return application.statements.slice(before).filter((sql) => sql.includes('"Session"'));
    };
    const statementsOfTwoRequests = async () => [
      await statementsOf(owner.browser),
      await statementsOf(owner.browser),
    ];
    const without = await statementsOfTwoRequests();
    await sendPicture(owner.browser, photo);
    expect(await statementsOfTwoRequests()).toEqual(without);
    expect(without.map((statements) => statements.length)).toEqual([1, 1]);
  });
});

describe('removing a picture', () => {
  test('a picture is removed after a confirmation, and removing it twice is not an error', async () => {
    const owner = await signUp(application);
    const page = `${PICTURE_PAGE}/remove`;
    expect((await owner.browser.get(page)).location).toBe(PROFILE);
    await sendPicture(owner.browser, photo);
    const address = `/picture/${digestOf(owner)}/64`;
    expect(textOf((await owner.browser.get(page)).text)).toContain('Remove your picture?');
    expect(digestOf(owner)).not.toBeNull();
    const answer = await owner.browser.post(page, {});
    const after = await owner.browser.follow(answer);
    expect(textOf(after.text)).toContain('Your picture is removed.');
    expect(picturesOn(after)).toEqual([]);
    expect(digestOf(owner)).toBeNull();
    expect((await owner.browser.get(address)).status).toBe(404);
    expect((await owner.browser.post(page, {})).location).toBe(PROFILE);
  });

  test('removing a picture leaves the pictures of other users', async () => {
    const owner = await signUp(application);
    const other = await signUp(application);
    await sendPicture(owner.browser, photo);
    await sendPicture(other.browser, photo);
    await owner.browser.post(`${PICTURE_PAGE}/remove`, { userId: userIdOf(application, other) });
    expect(digestOf(other)).not.toBeNull();
  });

  test('deleting the account deletes the picture, and none can be saved afterwards', async () => {
    const owner = await signUp(application);
    await sendPicture(owner.browser, photo);
    const id = userIdOf(application, owner);
    await owner.browser.post('/settings/data/delete', { email: owner.email });
    expect(application.sql('SELECT digest FROM "Picture" WHERE userId = ?', id)).toEqual([]);
    // An upload that finishes after the deletion.
    const { pictures, db } = application.application;
    const encoding = await pictures.encode(photo);
    if (!encoding.ok) throw new Error(encoding.why);
    expect(await pictures.save(id, encoding.picture, application.clock.now())).toBe(false);
    expect(await db.picture.count({ where: { userId: id } })).toBe(0);
  });
});

test('a database outage is answered 503 and keeps the current picture', async () => {
  const owner = await signUp(application);
  await sendPicture(owner.browser, photo);
  const digest = digestOf(owner);
  application.sql('ALTER TABLE "Picture" RENAME TO "PictureAway"');
  try {
    for (const answer of [
      await sendPicture(owner.browser, photo),
      await owner.browser.post(`${PICTURE_PAGE}/remove`, {}),
      await owner.browser.get(`/picture/${digest}/64`),
    ]) {
      expect(answer.status).toBe(503);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  } finally {
    application.sql('ALTER TABLE "PictureAway" RENAME TO "Picture"');
  }
  expect(digestOf(owner)).toBe(digest);
  expect((await owner.browser.get(`/picture/${digest}/64`)).status).toBe(200);
});

/** Returns the CRC-32 of a PNG chunk (ISO 3309). Node has its own `crc32` only since version 22. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
