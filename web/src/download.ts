// Owns saving a text as a file of the user's.

// A browser may read the text a while after the click, such as once the user has chosen a folder.
const KEPT_MS = 60_000;

export function download(name: string, type: string, text: string) {
  const link = document.createElement('a');
  const url = URL.createObjectURL(new Blob([text], { type }));
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
