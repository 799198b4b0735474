//! Addresses, sizes and SHA-256 hashes of the public data sets.

use std::path::Path;

/// A data set that can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Name {
    /// CIFAR-10, binary version, 162 MiB.
    Cifar10,
    /// CIFAR-100, binary version, 161 MiB.
    Cifar100,
    /// Fashion-MNIST, IDX files, 30 MiB.
    FashionMnist,
}

/// The files of a data set, as published.
pub(super) struct Published {
    /// Address of the folder of the files.
    pub(super) base: &'static str,
    pub(super) files: &'static [Remote],
}

/// One file to download.
pub(super) struct Remote {
    pub(super) name: &'static str,
    pub(super) bytes: u64,
    pub(super) sha256: &'static str,
    /// Names of the files inside.
    pub(super) members: &'static [&'static str],
}

impl Name {
    /// Sizes and hashes as TensorFlow Datasets records them (`url_checksums`).
    pub(super) fn published(self) -> &'static Published {
        match self {
            Self::Cifar10 => &CIFAR10,
            Self::Cifar100 => &CIFAR100,
            Self::FashionMnist => &FASHION_MNIST,
        }
    }

    /// Folder below `data/`, and the name on the command line.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
            Self::FashionMnist => "fashion-mnist",
        }
    }
}

impl Published {
    /// Returns whether `out` has all files that the readers need.
    pub(super) fn is_unpacked(&self, out: &Path) -> bool {
        let mut members = self.files.iter().flat_map(|remote| remote.members);
        members.all(|member| out.join(member).is_file())
    }
}

static CIFAR10: Published = Published {
    base: "https://www.cs.toronto.edu/~kriz",
    files: &[Remote {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        members: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
            "test_batch.bin",
        ],
    }],
};

static CIFAR100: Published = Published {
    base: "https://www.cs.toronto.edu/~kriz",
    files: &[Remote {
        name: "cifar-100-binary.tar.gz",
        bytes: 168_513_733,
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        members: &["train.bin", "test.bin"],
    }],
};

/// The publisher offers no HTTPS address; the hashes detect altered files.
static FASHION_MNIST: Published = Published {
    base: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    files: &[
        Remote {
            name: "train-images-idx3-ubyte.gz",
            bytes: 26_421_880,
            sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            members: &["train-images-idx3-ubyte"],
        },
        Remote {
            name: "train-labels-idx1-ubyte.gz",
            bytes: 29_515,
            sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            members: &["train-labels-idx1-ubyte"],
        },
        Remote {
            name: "t10k-images-idx3-ubyte.gz",
            bytes: 4_422_102,
            sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            members: &["t10k-images-idx3-ubyte"],
        },
        Remote {
            name: "t10k-labels-idx1-ubyte.gz",
            bytes: 5_148,
            sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            members: &["t10k-labels-idx1-ubyte"],
        },
    ],
};
