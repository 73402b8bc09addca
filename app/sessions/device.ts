import Bowser from 'bowser';

export type DeviceKind = 'computer' | 'phone' | 'tablet' | 'program' | 'unknown';

/** What a user agent says about the device. This is a guess, so users can name their devices. */
export interface DeviceDescription {
  kind: DeviceKind;
  /** "Firefox on Windows", "Safari on iPhone"; never empty. */
  name: string;
  /** "Firefox 131 on Windows"; the same as `name` if the version is unknown. */
  detail: string;
}

const MAX_USER_AGENT_CHARACTERS = 512;
/** For other browsers Bowser returns the text before a slash, which the client chose freely. */
const KNOWN_BROWSERS = new Set(Object.values(Bowser.BROWSER_MAP));
const UNKNOWN: DeviceDescription = {
  kind: 'unknown',
  name: 'Unknown device',
  detail: 'Unknown device',
};

/** Common names of devices, where they differ from the name of the operating system. */
const SYSTEM_NAMES: Record<string, string> = {
  macOS: 'Mac',
  'Chrome OS': 'Chromebook',
};

/** Returns what a user agent (RFC 9110 §10.1.5) says. Never throws; the fallback is "Unknown device". */
export function describeDevice(userAgent: string): DeviceDescription {
  const text = userAgent.slice(0, MAX_USER_AGENT_CHARACTERS).trim();
  if (text === '') return UNKNOWN;
  const { browser, os, platform } = Bowser.parse(text);
  const system = systemNameOf(os.name, platform.model);
  const { name: browserName, version } = browser;
  const kind = kindOf(platform.type, os.name);
  if (!browserName || !KNOWN_BROWSERS.has(browserName)) {
    return system ? deviceNamed(kind, system) : programOf(text);
  }
  const major = /^\d{1,5}\b/.exec(version ?? '')?.[0];
  const where = system ? ` on ${system}` : '';
  return {
    kind,
    name: `${shortName(browserName)}${where}`,
    detail: `${shortName(browserName)}${major ? ` ${major}` : ''}${where}`,
  };
}

const deviceNamed = (kind: DeviceKind, name: string): DeviceDescription => ({
  kind,
  name,
  detail: name,
});

function systemNameOf(os: string | undefined, model: string | undefined): string | undefined {
  if (model === 'iPhone' || model === 'iPad') return model;
  return os && (SYSTEM_NAMES[os] ?? os);
}

const shortName = (browser: string) =>
  browser.replace(/^Microsoft /, '').replace(/ for (Android|iOS)$/, '');

function kindOf(platform: string | undefined, os: string | undefined): DeviceKind {
  if (platform === 'mobile') return 'phone';
  if (platform === 'tablet') return 'tablet';
  return platform === 'desktop' || os === 'Chrome OS' ? 'computer' : 'unknown';
}

// A product and its version, such as "curl/8.5.0".
function programOf(text: string): DeviceDescription {
  const product = /^([A-Za-z][\w.-]{0,39})(?:\/(\d+))?/.exec(text);
  if (!product?.[1]) return UNKNOWN;
  const [, name, major] = product;
  return { kind: 'program', name, detail: major ? `${name} ${major}` : name };
}
