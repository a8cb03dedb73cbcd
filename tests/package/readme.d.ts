// Owns the names that the code of the README takes as given.

declare const auth: import('lictor-auth').Auth;
declare const username: string, password: string, otp: string;

declare module './openapi' {
  export * from './built/openapi.js';
}
