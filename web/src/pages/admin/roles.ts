// Owns roles as text: separated by commas.

export function parseRoles(typed: string): string[] {
  return typed.split(',').map(role => role.trim()).filter(Boolean);
}
