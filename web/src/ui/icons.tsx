// Owns the few pictures, drawn in the colour of the text around them. None says anything that
// words beside it do not.

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
      <path className="mark-rods" d="M11 7v18M16 5v22M21 7v18" />
      <path className="mark-bands" d="M7.6 12.400h16.800v1.600H7.600zM7.6 18.600h16.800v1.600H7.600z" />
    </svg>
  );
}

export function Arrow() {
  return <svg className="icon arrow" viewBox="0 0 24 24" aria-hidden="true"><path d="M9 5l7 7-7 7" /></svg>;
}
