// Owns storage that never throws. Knows nothing of what is kept in it.

export interface Area {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Storage that never throws. */
export interface SafeStorage extends Area {
  /** The keys that have a value. */
  keys(): string[];
}

/**
 * localStorage or sessionStorage, but never throws: if it is missing, blocked or full, values are kept in
 * memory until the page is closed.
 */
export function safeStorage(name: 'local' | 'session'): SafeStorage {
  return sturdy(area(name));
}

/** The browser's storage, or null. If the user blocks storage, even reading the property throws. */
export function area(name: 'local' | 'session'): Area | null {
  try {
    return globalThis.window?.[`${name}Storage`] ?? null;
  } catch {
    return null;
  }
}

export function sturdy(area: Area | null): SafeStorage {
  const kept = new Map<string, string | null>();
  const attempt = <T>(use: (area: Area) => T): T | undefined => {
    try {
      return area === null ? undefined : use(area);
    } catch {
      return undefined;
    }
  };
  const put = (key: string, value: string | null) => {
    const done = attempt(area => (value === null ? area.removeItem(key) : area.setItem(key, value), true));
    done ? kept.delete(key) : kept.set(key, value);
  };
  return {
    getItem: key => (kept.has(key) ? kept.get(key)! : (attempt(area => area.getItem(key)) ?? null)),
    setItem: (key, value) => put(key, value),
    removeItem: key => put(key, null),
    keys: () => {
      const stored = attempt(area => Object.keys(area)) ?? [];
      return [...new Set([...stored, ...kept.keys()])].filter(key => kept.get(key) !== null);
    },
  };
}
