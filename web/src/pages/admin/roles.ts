// Owns how roles are typed: separated by commas.

export function parseRoles(typed: string): string[] {
  return typed.split(',').map(role => role.trim()).filter(Boolean);
}
