declare module 'fxa-common-password-list' {
  interface PasswordList {
    /** True for one of the 50 000 most used passwords of eight characters or more. */
    test(password: string): boolean;
  }
  const list: PasswordList;
  export = list;
}
