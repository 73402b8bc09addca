declare module 'fxa-common-password-list' {
  interface PasswordList {
    /** True for one of the 50 000 passwords of eight characters or more that are used most. */
    test(password: string): boolean;
  }
  const list: PasswordList;
  export = list;
}
