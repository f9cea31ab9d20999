use super::*;
use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::DiscoveryResponse;
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_client::ExtensionConfigDiscoveryServiceClient as Client;
use envoy_types::pb::google::rpc;
use std::sync::Mutex;
use tokio::sync::mpsc;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request};

struct Served {
    address: String,
    bundles: watch::Sender<Option<Arc<Current>>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Served {
    async fn hears(&self, count: usize) {
        for _ in 0..500 {
            if self.heard.lock().unwrap().len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?}", self.heard.lock().unwrap());
    }
}

async fn served() -> Served {
    served_to(|_| true).await
}

async fn served_to(lets_in: impl Fn(&HeaderMap) -> bool + Send + Sync + 'static) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (bundles, watched) = watch::channel(None);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let plugin = serde_json::json!({ "digest_key": "not for everybody" }).as_object().unwrap().clone();
    let extension = Extension { name: "azeotrope".into(), module: "/m".into(), vm_id: "v".into(), plugin };
    let noted = Arc::clone(&heard);
    let told = move |heard| noted.lock().unwrap().push(heard);
    tokio::spawn(serve(listener, extension, watched, lets_in, told, std::future::pending()));
    Served { address, bundles, heard }
}

fn bundle(version: u64) -> Option<Arc<Current>> {
    Some(Arc::new(Current { version, package: vec![0; 100_000] }))
}

fn wish(nonce: &str, error: Option<&str>) -> DiscoveryRequest {
    DiscoveryRequest {
        type_url: TYPE.into(),
        resource_names: vec!["azeotrope".into()],
        node: Some(Node { id: "edge".into(), ..Node::default() }),
        response_nonce: nonce.into(),
        error_detail: error.map(|message| rpc::Status { message: message.into(), ..rpc::Status::default() }),
        ..DiscoveryRequest::default()
    }
}

async fn next(answers: &mut Streaming<DiscoveryResponse>) -> DiscoveryResponse {
    tokio::time::timeout(Duration::from_secs(5), answers.message()).await.unwrap().unwrap().unwrap()
}

#[tokio::test]
async fn every_version_is_pushed_and_what_envoy_says_of_it_is_heard() {
    let served = served().await;
    let mut client = Client::connect(served.address.clone()).await.unwrap();
    let (to, requests) = mpsc::channel(4);
    to.send(wish("", None)).await.unwrap();
    let mut answers = client.stream_extension_configs(ReceiverStream::new(requests)).await.unwrap().into_inner();
    let first = next(&mut answers).await;
    assert_eq!((first.version_info.as_str(), first.type_url.as_str(), first.resources.len()), ("0", TYPE, 1));
    to.send(wish(&first.nonce, None)).await.unwrap();
    served.bundles.send_replace(bundle(7));
    let second = next(&mut answers).await;
    assert_eq!(second.version_info, "7");
    to.send(wish(&second.nonce, Some("bad\nsignature"))).await.unwrap();
    served.hears(2).await;
    // What was refused is not sent again; the next version is.
    served.bundles.send_replace(bundle(7));
    served.bundles.send_replace(bundle(8));
    assert_eq!(next(&mut answers).await.version_info, "8");
    let refused = Heard::Refused { node: "edge".into(), version: "7".into(), detail: "badsignature".into() };
    let heard = served.heard.lock().unwrap().clone();
    assert_eq!(heard, [Heard::Accepted { node: "edge".into(), version: "0".into() }, refused]);
}

#[tokio::test]
async fn what_is_not_ours_is_refused() {
    let served = served().await;
    let mut client = Client::connect(served.address.clone()).await.unwrap();
    let other = DiscoveryRequest { type_url: "type.googleapis.com/other".into(), ..wish("", None) };
    let refused = client.fetch_extension_configs(other).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    served.bundles.send_replace(bundle(3));
    for _ in 0..500 {
        let fetched = client.fetch_extension_configs(wish("", None)).await.unwrap().into_inner();
        if fetched.version_info == "3" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("version 3 is not served");
}

#[tokio::test]
async fn who_shows_no_token_is_told_nothing() {
    let served = served_to(|headers| headers.get("authorization").is_some_and(|shown| shown == "Bearer right")).await;
    let mut client = Client::connect(served.address.clone()).await.unwrap();
    let with = |token: Option<&str>| {
        let mut request = Request::new(wish("", None));
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", token.parse().unwrap());
        }
        request
    };
    for token in [None, Some("Bearer wrong"), Some("right"), Some("Bearer right ")] {
        let refused = client.fetch_extension_configs(with(token)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{token:?}");
        assert!(refused.message().contains("no valid token") && !format!("{refused:?}").contains("everybody"));
    }
    let (_to, requests) = mpsc::channel(4);
    let refused = client.stream_extension_configs(ReceiverStream::new(requests)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let stranger = Heard::Stranger { address: Some("127.0.0.1".parse().unwrap()) };
    assert_eq!(*served.heard.lock().unwrap(), vec![stranger; 5]);
    let answer = client.fetch_extension_configs(with(Some("Bearer right"))).await.unwrap().into_inner();
    assert!(String::from_utf8_lossy(&answer.resources[0].value).contains("not for everybody"));
}

#[tokio::test]
async fn streams_that_are_not_read_share_what_they_are_sent() {
    let served = served().await;
    served.bundles.send_replace(Some(Arc::new(Current { version: 7, package: vec![0; 8 << 20] })));
    let before = resident();
    let mut unread = Vec::new();
    for _ in 0..64 {
        let mut client = Client::connect(served.address.clone()).await.unwrap();
        let (to, requests) = mpsc::channel(4);
        to.send(wish("", None)).await.unwrap();
        unread.push((client.stream_extension_configs(ReceiverStream::new(requests)).await.unwrap(), to, client));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Each alone would be 11 MiB.
    let grown = resident().saturating_sub(before) >> 20;
    assert!(grown < 350, "{grown} MiB");
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

#[tokio::test]
async fn who_runs_a_bundle_already_keeps_it_until_there_is_one() {
    let served = served().await;
    let mut client = Client::connect(served.address.clone()).await.unwrap();
    let again = DiscoveryRequest { version_info: "7".into(), ..wish("", None) };
    let refused = client.fetch_extension_configs(again.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let (to, requests) = mpsc::channel(4);
    to.send(again).await.unwrap();
    let mut answers = client.stream_extension_configs(ReceiverStream::new(requests)).await.unwrap().into_inner();
    assert!(tokio::time::timeout(Duration::from_millis(300), answers.message()).await.is_err());
    served.bundles.send_replace(bundle(8));
    assert_eq!(next(&mut answers).await.version_info, "8");
}
