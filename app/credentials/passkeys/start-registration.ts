// Apart from the rest of the ceremony, so that it is fetched only where a passkey is made.
export { startRegistration } from '@simplewebauthn/browser';
