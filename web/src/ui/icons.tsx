// Owns the icons, drawn in the colour of the text. They are decoration: words beside them say the same.

export function Eye({ crossed }: { crossed: boolean }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z" />
      <circle cx="12" cy="12" r="3" />
      {crossed && <path d="M4 4l16 16" />}
    </svg>
  );
}

export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect className="mark-ground" width="32" height="32" rx="8" />
      <path className="mark-rods" d="M16 6v20M10.5 6.5v6M21.5 6.5v6M10.5 19.5v6M21.5 19.5v6" />
      <path className="mark-band" d="M8 16h16" />
    </svg>
  );
}

export function Arrow() {
  return <svg className="icon arrow" viewBox="0 0 24 24" aria-hidden="true"><path d="M9 5l7 7-7 7" /></svg>;
}
