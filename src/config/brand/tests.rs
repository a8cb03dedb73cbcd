//! Folders of brands, good and wrong.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 120 40\"></svg>";
const ICO: &[u8] = b"\0\0\x01\0\x01\0";

/// A folder that is deleted at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &[u8])]) -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("lictor-brand-{}-{number}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        fs::create_dir_all(&folder.0).unwrap();
        for (name, bytes) in files {
            fs::write(folder.0.join(name), bytes).unwrap();
        }
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refused(folder: &Folder) -> Problem {
    let problem = Brand::open(&folder.0).unwrap_err();
    assert!(problem.usage, "{problem}");
    assert!(problem.what.contains(folder.0.to_str().unwrap()), "{problem}");
    problem
}

#[test]
fn a_whole_brand() {
    let words = b"name Example\naccent #7a1fa2\nimprint https://example.org/imprint\n";
    let folder = Folder::new(&[
        ("brand", words),
        ("logo.svg", SVG),
        ("logo-dark.svg", b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/>"),
        ("favicon.ico", ICO),
        (".DS_Store", b"\xff"),
    ]);
    let brand = Brand::open(&folder.0).unwrap();
    assert_eq!(brand.name().map(Issuer::as_str), Some("Example"));
    assert_eq!((brand.imprint(), brand.privacy()), (Some("https://example.org/imprint"), None));
    assert_eq!(brand.icon().unwrap().name, "favicon.ico");
    let sheet = std::str::from_utf8(&brand.sheet().bytes).unwrap().to_owned();
    let url = brand.image(Role::Logo).unwrap().url();
    assert!(url.starts_with("/brand/logo.svg?v=") && url.len() == 34, "{url}");
    for part in [
        "html:root{--accent:#7a1fa2;--accent-strong:#",
        "--on-accent:#ffffff;",
        &format!("--logo:url(\"{url}\");--logo-ratio:3.000;}}@media (prefers-color-scheme:dark)"),
        "--logo-ratio:1.000;}}.brand .mark{display:none}",
        ".brand .name{position:absolute",
    ] {
        assert!(sheet.contains(part), "{part} in {sheet}");
    }
    assert_eq!(sheet.matches('{').count(), sheet.matches('}').count(), "{sheet}");
    assert_eq!(brand, Brand::open(&folder.0).unwrap());

    fs::write(folder.0.join("logo.svg"), [SVG, b"\n"].concat()).unwrap();
    let changed = Brand::open(&folder.0).unwrap();
    assert_ne!(brand, changed);
    assert_ne!(url, changed.image(Role::Logo).unwrap().url());
    assert_ne!(brand.sheet().version, changed.sheet().version);
}

#[test]
fn a_part_of_a_brand() {
    for (files, sheet, icon) in [
        (&[("brand", &b"name x"[..])][..], "", None),
        (&[("favicon.svg", SVG)], "", Some("favicon.svg")),
        (&[("logo.svg", SVG)], "html:root{--logo:url(", Some("logo.svg")),
        (&[("brand", b"accent #7a1fa2")], "html:root{--accent:", None),
    ] {
        let brand = Brand::open(&Folder::new(files).0).unwrap();
        let found = std::str::from_utf8(&brand.sheet().bytes).unwrap();
        assert!(found.starts_with(sheet) && found.is_empty() == sheet.is_empty(), "{found}");
        assert_eq!(brand.icon().map(|image| image.name), icon, "{files:?}");
    }
}

#[test]
fn wrong_folders() {
    let large = [SVG, &vec![b' '; MAX_IMAGE][..]].concat();
    for (files, what, next) in [
        (&[][..], "there is nothing of a brand in ", "it can have the files brand, logo.svg, "),
        (&[(".hidden", &b""[..])], "there is nothing of a brand in ", ""),
        (&[("brand", b"# nothing yet")], "there is nothing of a brand in ", ""),
        (&[("logo.jpg", b"")], "logo.jpg: no file of a brand has this name", "mean logo.png? The"),
        (&[("brand.txt", b"")], "brand.txt: no file of a brand", "did you mean brand? The names"),
        (
            &[("README.md", b"")],
            "README.md: no file of a brand",
            "remove it; the names are brand, ",
        ),
        (&[("logo.svg", b"<html>")], "logo.svg: it is no SVG image", "save it as SVG, and name"),
        (&[("logo.png", SVG)], "logo.png: it is no PNG image", "save it as PNG, and name"),
        (&[("favicon.ico", SVG)], "favicon.ico: it is no ICO image", "save it as ICO"),
        (&[("logo.svg", &large)], "logo.svg: it is larger than 256 KiB", "make it smaller"),
        (&[("brand", &[b'#'; MAX_WORDS + 1])], "brand: it is larger than 16 KiB", ""),
        (&[("brand", b"\xff")], "brand: it is not UTF-8", "write it in UTF-8"),
        (&[("brand", b"name")], "brand: line 1: \"\" is not valid as an issuer", "give a name"),
        (&[("favicon.svg", SVG), ("favicon.ico", ICO)], "favicon.svg: there is favicon.ico as", ""),
        (&[("logo-dark.svg", SVG)], " has a logo for dark colours alone", "add logo.svg or"),
    ] {
        let problem = refused(&Folder::new(files));
        assert!(problem.what.contains(what) && problem.next.contains(next), "{what}: {problem}");
    }
    let missing = Brand::open("/nowhere/at/all").unwrap_err();
    assert!(missing.what.starts_with("cannot read the brand in /nowhere/at/all: "), "{missing}");
}

#[test]
fn links_stay_in_the_folder() {
    let outside = Folder::new(&[("logo.svg", SVG)]);
    let folder = Folder::new(&[]);
    fs::create_dir(folder.0.join("..data")).unwrap();
    fs::write(folder.0.join("..data/logo.svg"), SVG).unwrap();
    symlink("..data/logo.svg", folder.0.join("logo.svg")).unwrap();
    assert!(Brand::open(&folder.0).is_ok(), "as Kubernetes mounts files");
    symlink(outside.0.join("logo.svg"), folder.0.join("favicon.svg")).unwrap();
    assert!(
        refused(&folder).what.ends_with("favicon.svg: it is a link that leads out of the folder")
    );
    fs::remove_file(folder.0.join("favicon.svg")).unwrap();
    symlink("nothing", folder.0.join("favicon.svg")).unwrap();
    assert!(refused(&folder).what.contains("favicon.svg: it cannot be read: "));
    fs::remove_file(folder.0.join("favicon.svg")).unwrap();
    fs::create_dir(folder.0.join("favicon.svg")).unwrap();
    assert!(refused(&folder).what.ends_with("favicon.svg: it is not a regular file"));
    // The folder itself may be a link.
    let link = folder.0.join(".link");
    symlink(&outside.0, &link).unwrap();
    assert!(Brand::open(&link).is_ok());
}

#[test]
fn a_folder_of_too_many_files_is_refused() {
    // In any order of the disk, a file of the brand could be left out.
    let names: Vec<String> = (0..MAX_FILES).map(|number| format!(".{number}")).collect();
    let mut files: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, &b""[..])).collect();
    files[0] = ("logo.svg", SVG);
    assert!(Brand::open(&Folder::new(&files).0).is_ok());
    files.push((".more", b""));
    let problem = refused(&Folder::new(&files));
    assert!(problem.what.starts_with("there are more than 64 files in "), "{problem}");
}
