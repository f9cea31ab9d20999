//! Small traces.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A folder of a test, removed when it is over.
pub struct Folder(PathBuf);

impl Folder {
    /// A new folder; `name` is the test's.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("azeotrope-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file. Returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(Path::new(&self.path(name))).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A pseudo-random number, the same every time.
pub fn chance(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// So many words that mean nothing, the same for the same `seed`.
pub fn words(seed: u64, count: u64) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "co", "di", "fu", "ga", "he", "ji", "ko", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve"];
    let word = |n: u64| {
        let draw = chance(seed.wrapping_mul(1_000).wrapping_add(n));
        (0..3).map(|k| SYLLABLES[(draw >> (8 * k)) as usize % 16]).collect::<String>()
    };
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

/// An exchange: `n` numbers account and network, the model is of line `line`.
pub fn exchange(id: u64, n: u64, line: u64, system: &str, user: &str) -> Value {
    let models = ["gpt-4", "claude-opus-4", "gemini-pro-4", "mistral-large-2"];
    json!({
        "id": id,
        "t": 1_790_000_000.0 + 20.0 * id as f64,
        "path": "/v1/chat/completions",
        "headers": {
            "authorization": format!("Bearer sk-{n:040}"),
            "user-agent": format!("client/{}", n % 4),
            "x-forwarded-for": format!("{}.{}.{}.9", 11 + n / 60_000, n / 250 % 240, n % 250),
        },
        "body": {
            "model": models[line as usize % 4],
            "max_tokens": 100 + n % 40,
            "messages": [{ "role": "system", "content": system }, { "role": "user", "content": user }],
        },
        "response": { "status": 200, "body": { "choices": [] } },
    })
}

/// People over four lines of models, and from id 600 on a harvest among them: 60 accounts, one template, one model.
pub fn harvest() -> String {
    // Worded plainly enough for a block (`evidence::cohort::PLAIN`), and set in three ways, unlike a tool.
    let template = "You write training data. Rewrite the instruction below into a more complex one, then solve it step by step and \
                    show the whole derivation before the final answer.";
    let exchanges = (0..1_200).map(|id| match id >= 600 && id % 2 == 0 {
        true => {
            let mut sent = exchange(id, 5_000 + id / 2 % 60, 1, template, &words(id, 30));
            sent["body"]["max_tokens"] = json!(1_024 * (2 + id / 2 % 3));
            sent
        }
        false => exchange(id, id % 500, id % 4, &words(10_000 + id % 500, 20), &words(id, 25)),
    });
    lines(exchanges)
}

/// Values as lines.
pub fn lines(values: impl Iterator<Item = Value>) -> String {
    values.map(|value| format!("{value}\n")).collect()
}
