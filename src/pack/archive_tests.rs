//! Archives: what goes in comes out, and nothing else gets in.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::archive::Archive;
use super::*;

const INDEX: &str = "{\"format\":1,\"pack\":\"own\"}";

fn manifest(id: &str, extends: &str) -> String {
    format!("id: {id}\nversion: 1.0.0\nocsf_version: 1.7.0\nextends: [{extends}]\n")
}

/// `own` extends a pack beside it, one below it, one elsewhere and one of the binary.
fn packs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("own/pack.yaml", &manifest("mine", &format!("base, ./part, ../vendor/far, {DEFAULT_PACK}")));
    write("own/tests/t.yaml", "[]\n");
    write("own/secret.txt", "not for others");
    write("own/aliases/a.yaml~", "not for others");
    write("base/pack.yaml", &manifest("base", ""));
    write("base/aliases/a.yaml", "'*/p': {F: time}\n");
    write("own/part/pack.yaml", &manifest("part", ""));
    write("own/part/routes.yaml", "- {logsource: {category: c, product: p}, classes: [1007]}\n");
    write("vendor/far/pack.yaml", &manifest("far", "near"));
    write("vendor/near/pack.yaml", &manifest("near", ""));
    write("vendor/near/aliases/a.yaml", "c/p: {G: process.name}\n");
    folder
}

#[test]
fn an_archive_stands_alone_and_means_the_same() {
    let folder = packs();
    let source = PackSource::find("own", folder.path()).unwrap();
    let built = build(&source).unwrap();
    assert_eq!(built, build(&source).unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("own.tar.gz");
    fs::write(&file, &built.bytes).unwrap();
    let found = PackSource::find("own.tar.gz", elsewhere.path()).unwrap();
    assert_eq!(found, PackSource::Archive(file));
    let (original, again) = (load(&source).unwrap(), load(&found).unwrap());
    assert_eq!(again.pack.sha256, built.pack_sha256);
    let hashes = |pack: &LoadedPack| {
        let components = pack.pack.components.iter();
        components.map(|c| (c.id.clone(), c.sha256().to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(hashes(&again), hashes(&original));
    // What was built can be built from.
    assert_eq!(build(&found).unwrap().bytes, built.bytes);
    let archive = Archive::unpack(&built.bytes).unwrap();
    let names: Vec<_> = archive.files.keys().filter_map(|name| name.to_str()).collect();
    assert!(names.contains(&"own/tests/t.yaml") && names.contains(&"vendor/near/aliases/a.yaml"));
    assert!(names.iter().all(|name| !name.contains("secret") && !name.ends_with('~')), "{names:?}");
}

#[test]
fn a_pack_of_the_binary_can_be_built() {
    let source = PackSource::Embedded(DEFAULT_PACK.to_owned());
    assert_eq!(build(&source).unwrap().pack_sha256, load(&source).unwrap().pack.sha256);
}

#[test]
fn a_pack_that_does_not_load_is_not_built() {
    let folder = packs();
    fs::write(folder.path().join("base/pack.yaml"), "id: base\n").unwrap();
    let error = build(&PackSource::Folder(folder.path().join("own"))).unwrap_err();
    assert!(error.findings.iter().all(|finding| finding.code.name == "pack_syntax"), "{error}");
}

/// A gzipped tar of these entries, their names and types written as they are.
fn archive(entries: &[(&[u8], tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        if !kind.is_file() && content.is_empty() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        bytes.extend(header.as_bytes());
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    gzip(&bytes)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    Archive::unpack(bytes).unwrap_err()
}

const FILE: tar::EntryType = tar::EntryType::Regular;

#[test]
fn hostile_names_are_refused() {
    let index = ("archive.json".as_bytes(), FILE, INDEX.as_bytes());
    let with = |name: &[u8]| refusal(&archive(&[index, (name, FILE, b"a: b")]));
    for name in [
        "../own/pack.yaml",
        "own/../../x",
        "/etc/passwd",
        "own//pack.yaml",
        "./own/pack.yaml",
        "own/..",
        "C:/x",
        "own\\pack.yaml",
        "own/a\nb",
        "own/a\u{1b}[31m",
        "own/",
    ] {
        let said = with(name.as_bytes());
        assert!(said.contains("is not a plain relative name"), "{name:?}: {said}");
        assert!(!said.contains(char::is_control), "{name:?}: {said:?}");
    }
    assert!(with(b"own/\xff.yaml").contains("not UTF-8"));
    let twice = [index, (b"own/a", FILE, b"a"), (b"own/a", FILE, b"b")];
    assert!(refusal(&archive(&twice)).contains("twice"));
}

#[test]
fn what_is_no_regular_text_is_refused() {
    use tar::EntryType;
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Directory, EntryType::Fifo, EntryType::Char]
    {
        let said = refusal(&archive(&[(b"own/pack.yaml", kind, b"")]));
        assert!(said.contains("is not a regular file"), "{kind:?}: {said}");
    }
    assert!(refusal(&archive(&[(b"own/pack.yaml", FILE, b"\xff\xfe")])).contains("not UTF-8"));
}

#[test]
fn bombs_are_refused() {
    assert!(refusal(&gzip(&vec![0; (32 << 20) + 1])).contains("larger than 32 MiB"));
    let large = vec![b'a'; (4 << 20) + 1];
    assert!(refusal(&archive(&[(b"own/a", FILE, &large)])).contains("larger than 4 MiB"));
    let names: Vec<_> = (0..4097).map(|n| format!("own/{n}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_bytes(), FILE, b"".as_slice())).collect();
    assert!(refusal(&archive(&entries)).contains("more than 4096 files"));
}

#[test]
fn what_is_no_archive_is_refused() {
    let unpacked = |text: &str| archive(&[(b"archive.json", FILE, text.as_bytes())]);
    assert!(refusal(b"id: own\n").contains("not gzipped"));
    assert!(refusal(&gzip(b"id: own\n")).contains("not a tar"));
    assert!(refusal(&gzip(&[b'x'; 1024])).contains("not a tar"));
    assert!(refusal(&archive(&[])).contains("it has no archive.json"));
    assert!(refusal(&unpacked("{}")).contains("missing field"));
    assert!(refusal(&unpacked("{\"format\":2,\"pack\":\"own\"}")).contains("format 2"));
    assert!(refusal(&unpacked("{\"format\":1,\"pack\":\"../own\"}")).contains("plain relative name"));
    let whole = unpacked(INDEX);
    assert!(Archive::unpack(&whole[..whole.len() / 2]).is_err());
}

#[test]
fn an_archive_says_where_its_faults_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.tar.gz");
    let finding = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let error = load(&PackSource::Archive(file.clone())).unwrap_err();
        let finding = error.findings.into_iter().next().unwrap();
        (finding.code.name, finding.path.strip_prefix(folder.path()).unwrap().to_owned())
    };
    assert_eq!(finding(b"x"), ("pack_bad_archive", Path::new("p.tar.gz").to_owned()));
    let index = ("archive.json".as_bytes(), FILE, INDEX.as_bytes());
    let broken = archive(&[index, (b"own/pack.yaml", FILE, b"id: own\n")]);
    assert_eq!(finding(&broken), ("pack_syntax", Path::new("p.tar.gz/own/pack.yaml").to_owned()));
    // It does not reach for what the binary carries.
    let manifest = manifest("own", DEFAULT_PACK);
    let leaning = archive(&[index, (b"own/pack.yaml", FILE, manifest.as_bytes())]);
    assert_eq!(finding(&leaning).0, "pack_not_found");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn unpacking_never_panics(
        at in any::<prop::sample::Index>(),
        noise in proptest::collection::vec(any::<u8>(), 0..64),
        packed in any::<bool>(),
    ) {
        static BUILT: LazyLock<Vec<u8>> =
            LazyLock::new(|| build(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().bytes);
        let built: &Vec<u8> = &BUILT;
        let mut bytes = built.clone();
        if !packed {
            bytes.clear();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(built.as_slice()), &mut bytes).unwrap();
        }
        let start = at.index(bytes.len());
        let end = (start + noise.len()).min(bytes.len());
        bytes.splice(start..end, noise);
        let _ = Archive::unpack(&if packed { bytes } else { gzip(&bytes) });
    }
}
