//! The style sheet of a brand: its colours in the place of those of `web/src/styles/tokens.css`, and its
//! logo in the place of lictor's mark. Everything in it is written here or checked; no text of the
//! operator's comes in.

use std::fmt::Write as _;

use super::{Brand, Image, Role};
use crate::config::brand::colour::Shades;

/// The rules with which a logo takes the place of the mark.
const SHOW_LOGO: &str = ".brand .mark{display:none}.brand .logo{display:block}";
/// A logo that is wider than this, in thousandths of its height, has the name in it. The name is then
/// for screen readers alone.
const WIDE: u32 = 1600;
const HIDE_NAME: &str = ".brand .name{position:absolute;width:1px;height:1px;overflow:hidden;\
     clip-path:inset(50%);white-space:nowrap}";

/// Writes the style sheet. `html:root` is stronger than the `:root` of the app, whichever comes first.
pub(super) fn write(brand: &Brand) -> String {
    let logo = brand.image(Role::Logo);
    let mut light = String::new();
    let mut dark = String::new();
    if let Some(accent) = brand.accent() {
        put_shades(&mut light, &accent.light);
        put_shades(&mut dark, &accent.dark);
        // Writing to a String cannot fail.
        let _ = write!(light, "--mark:{};", accent.light.accent);
    }
    put_logo(&mut light, logo);
    put_logo(&mut dark, brand.image(Role::DarkLogo));
    let mut sheet = String::new();
    if !light.is_empty() {
        let _ = write!(sheet, "html:root{{{light}}}");
    }
    if !dark.is_empty() {
        let _ = write!(sheet, "@media (prefers-color-scheme:dark){{html:root{{{dark}}}}}");
    }
    if let Some(logo) = logo {
        sheet += SHOW_LOGO;
        if logo.ratio > WIDE {
            sheet += HIDE_NAME;
        }
    }
    sheet
}

fn put_shades(css: &mut String, shades: &Shades) {
    let Shades { accent, strong, on_accent, soft } = shades;
    let _ = write!(
        css,
        "--accent:{accent};--accent-strong:{strong};--on-accent:{on_accent};--accent-soft:{soft};"
    );
}

fn put_logo(css: &mut String, logo: Option<&Image>) {
    if let Some(logo) = logo {
        let (url, whole, thousandths) = (logo.url(), logo.ratio / 1000, logo.ratio % 1000);
        let _ = write!(css, "--logo:url(\"{url}\");--logo-ratio:{whole}.{thousandths:03};");
    }
}
