// Owns the server's messages that are more exact than the name of their error, and the keys of our words
// for them. {n} stands for a configurable number, {what} for input in quotation marks.

import type { Key } from './en';

export const reasons: Record<string, Key> = {
  'The username is empty': 'error.Required',
  'The username is longer than 64 characters': 'reason.nameLong',
  'The username may hold letters, digits and punctuation, but no spaces': 'reason.nameLetters',
  'The username is an e-mail address; choose a name without the @': 'reason.nameEmail',
  'The password is longer than 1024 bytes': 'reason.passwordLong',
  'The password is empty': 'error.Required',
  'The password holds a character that cannot be typed everywhere': 'reason.passwordLetters',
  'The password is shorter than {n} characters': 'reason.passwordShort',
  'The password is little more than the username': 'reason.passwordName',
  'The password is little more than the e-mail address': 'reason.passwordEmail',
  'The password is little more than the name of this program': 'reason.passwordProgram',
  'The password is little more than the name of this service': 'reason.passwordService',
  'This password is one of the most common, which are tried first': 'reason.passwordCommon',
  'email: this is not an e-mail address': 'error.InvalidEmail',
  'email: longer than 254 bytes': 'error.InvalidEmail',
  'email: this address belongs to another user': 'reason.emailTaken',
  'roles: a role has 1 to 64 letters, digits, or _ . : -': 'reason.roleLetters',
  'roles: more than 16 roles': 'reason.rolesMany',
  'name: must be 1 to 64 characters, and none that cannot be seen': 'reason.nameHidden',
  'hosts: {what} is no host; write one like cal.example.org or *.example.org': 'reason.noHost',
  'hosts: there are more than {n}': 'reason.hostsMany',
};
