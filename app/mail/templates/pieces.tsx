import { Button, Section, Text } from '@react-email/components';
import type { ReactNode } from 'react';
import { LIGHT } from './colours.ts';

export function Paragraph({ children }: { children: ReactNode }) {
  return (
    <Text className="ink" style={paragraph}>
      {children}
    </Text>
  );
}

/** A less important paragraph. */
export function Aside({ children }: { children: ReactNode }) {
  return (
    <Text className="muted" style={{ ...paragraph, color: LIGHT.muted }}>
      {children}
    </Text>
  );
}

/** A one-time code. Its letter spacing is a style, so that a copy contains no spaces. */
export function Code({ children }: { children: string }) {
  return (
    <Section className="glow" style={codePlate}>
      <Text className="ink" style={code}>
        {children}
      </Text>
    </Section>
  );
}

/** The main button. In plain text: its label, and the link on its own line. */
export function Action({ href, children }: { href: string; children: string }) {
  return (
    <Section style={{ margin: '20px 0' }}>
      <Button className="action" href={href} rel="noopener noreferrer" style={action}>
        {children}
      </Button>
    </Section>
  );
}

/** A list of labelled facts, one per line. */
export function Facts({ facts }: { facts: [what: string, value: string][] }) {
  return (
    <Section className="line" style={{ borderLeft: `3px solid ${LIGHT.line}`, margin: '16px 0' }}>
      {facts.map(([what, value]) => (
        <Text key={what} className="ink" style={fact} data-line="true">
          <span className="muted" style={{ color: LIGHT.muted }}>
            {what}:
          </span>{' '}
          {value}
        </Text>
      ))}
    </Section>
  );
}

const paragraph = {
  margin: '0 0 16px',
  color: LIGHT.ink,
  fontSize: '16px',
  lineHeight: '24px',
  overflowWrap: 'anywhere',
} as const;
const fact = {
  margin: '0 0 4px',
  padding: '0 0 0 14px',
  color: LIGHT.ink,
  fontSize: '16px',
  lineHeight: '24px',
  overflowWrap: 'anywhere',
} as const;
const codePlate = {
  backgroundColor: LIGHT.glow,
  borderRadius: '12px',
  margin: '20px 0',
};
const code = {
  margin: 0,
  padding: '14px 8px 14px 16px',
  color: LIGHT.ink,
  fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace",
  fontSize: '32px',
  lineHeight: '40px',
  fontWeight: 600,
  letterSpacing: '0.24em',
  textAlign: 'center',
} as const;
const action = {
  backgroundColor: LIGHT.accent,
  borderRadius: '12px',
  color: LIGHT.onAccent,
  fontSize: '16px',
  lineHeight: '24px',
  fontWeight: 500,
  padding: '12px 22px',
  textDecoration: 'none',
};
