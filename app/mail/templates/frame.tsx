import {
  Container,
  Head,
  Heading,
  Hr,
  Html,
  Link,
  Preview,
  Section,
  Text,
} from '@react-email/components';
import { DARK_STYLES, LIGHT } from './colours.ts';
import type { MailParts } from './mail-parts.ts';

const FONT =
  "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** The layout of every mail: logo, title, body, and the reason for the mail. */
export function Frame({ subject, preheader, title, body, why, origin }: FrameProps) {
  return (
    <Html lang="en">
      <Head>
        <title>{subject}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        {/* Otherwise a code may become a telephone link. */}
        <meta
          name="format-detection"
          content="telephone=no, date=no, address=no, email=no, url=no"
        />
        <style>{DARK_STYLES}</style>
      </Head>
      {/* Not react-email's Body, which puts its colour on a cell that the dark style cannot override. */}
      <body className="ground" style={{ margin: 0, padding: 0, backgroundColor: LIGHT.ground }}>
        <Preview>{preheader}</Preview>
        <Section className="ground" style={ground}>
          <Container style={{ maxWidth: '520px', margin: '0 auto' }}>
            <Mark />
            <Section className="raised" style={panel}>
              <Heading as="h1" className="ink" style={heading}>
                {title}
              </Heading>
              {body}
            </Section>
            {/* Only for plain text; in HTML the border of the panel separates the footer. */}
            <Hr style={{ border: 'none', borderTop: 'none', margin: '8px 0' }} />
            <Text className="muted" style={footer}>
              {why}
            </Text>
            <Text className="muted" style={footer}>
              Latchkey ·{' '}
              <Link className="link" href={origin} style={{ color: LIGHT.accent }}>
                {origin}
              </Link>
            </Text>
          </Container>
        </Section>
      </body>
    </Html>
  );
}

interface FrameProps extends MailParts {
  /** The application's origin. */
  origin: string;
}

// Drawn with boxes: an image would be a remote request, and many mail programs do not show SVG.
function Mark() {
  return (
    <table
      role="presentation"
      cellPadding={0}
      cellSpacing={0}
      style={{ margin: '8px 0 20px 8px' }}
      data-skip-in-text="true"
    >
      <tbody>
        <tr>
          <td className="plate" align="center" style={plate}>
            <div className="keyhole" style={keyholeTop} />
            <div className="keyhole" style={keyholeFoot} />
          </td>
          <td className="ink" style={wordmark}>
            Latchkey
          </td>
        </tr>
      </tbody>
    </table>
  );
}

const ground = { padding: '24px 12px', backgroundColor: LIGHT.ground, fontFamily: FONT };
const panel = {
  backgroundColor: LIGHT.raised,
  border: `1px solid ${LIGHT.line}`,
  borderRadius: '16px',
  padding: '28px 28px 20px',
};
const heading = {
  margin: '0 0 16px',
  color: LIGHT.ink,
  fontSize: '24px',
  lineHeight: '32px',
  fontWeight: 600,
  letterSpacing: '-0.018em',
};
const footer = {
  margin: '0 8px 8px',
  color: LIGHT.muted,
  fontSize: '14px',
  lineHeight: '20px',
};
const plate = {
  width: '26px',
  height: '34px',
  backgroundColor: LIGHT.accent,
  borderRadius: '10px',
  lineHeight: 0,
};
const keyholeTop = {
  width: '10px',
  height: '10px',
  borderRadius: '5px',
  backgroundColor: LIGHT.raised,
  margin: '0 auto',
};
const keyholeFoot = {
  width: '5px',
  height: '9px',
  borderRadius: '0 0 2px 2px',
  backgroundColor: LIGHT.raised,
  margin: '-2px auto 0',
};
const wordmark = {
  paddingLeft: '10px',
  color: LIGHT.ink,
  fontSize: '19px',
  lineHeight: '28px',
  fontWeight: 600,
  letterSpacing: '-0.02em',
};
