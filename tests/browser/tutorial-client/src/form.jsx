// What pages with fields share: the fields, the line below them, and the dialog after a success or a failure.

import React, { useState } from 'react';
import { Link, useLocation } from 'react-router-dom';
import styled from 'styled-components';
import Swal from 'sweetalert2';

const Box = styled.div`
  max-width: 24rem;
  margin: 4rem auto;
  font-family: sans-serif;
`;

const Line = styled.label`
  display: block;
  margin: 0.5rem 0;
`;

const Wrong = styled.p`
  color: ${({ theme }) => theme.wrong ?? '#b00020'};
`;

// `fields` are triples of a key, a label and a type; `onSend` gets their values.
export function Form({ title, fields, send, wrong, onSend, children }) {
  const [values, setValues] = useState(Object.fromEntries(fields.map(([key]) => [key, ''])));
  const change = key => event => setValues({ ...values, [key]: event.target.value });
  const submit = event => {
    event.preventDefault();
    onSend(values);
  };
  return (
    <Box>
      <h1>{title}</h1>
      <Link to="/">Start</Link>
      <form noValidate onSubmit={submit}>
        {fields.map(([key, label, type]) => (
          <Line key={key}>{label} <input type={type} value={values[key]} onChange={change(key)} /></Line>
        ))}
        {wrong && <Wrong role="alert">{wrong}</Wrong>}
        <button>{send}</button>
      </form>
      {children}
    </Box>
  );
}

export function tell(icon, titleText) {
  Swal.fire({ icon, titleText, position: 'center', showConfirmButton: false, timer: 9000 });
}

// The token in the address, behind the `#`.
export function useLinked() {
  return new URLSearchParams(useLocation().search).get('token');
}

// What goes with a token from a mail: a content type, also without a body.
export function linkedHeaders(token) {
  return { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
}
