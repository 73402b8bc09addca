// A module of its own, so that browsers load it only where a passkey is created.
export { startRegistration } from '@simplewebauthn/browser';
