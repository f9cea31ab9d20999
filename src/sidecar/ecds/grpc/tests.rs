use super::*;
use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_client::ExtensionConfigDiscoveryServiceClient as Client;
use envoy_types::pb::google::rpc;
use std::sync::Mutex;

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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (bundles, watched) = watch::channel(None);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let extension =
        Extension { name: "azeotrope".into(), module: "/m".into(), vm_id: "v".into(), plugin: serde_json::Map::new() };
    let noted = Arc::clone(&heard);
    let told = move |heard| noted.lock().unwrap().push(heard);
    tokio::spawn(serve(listener, extension, watched, told, std::future::pending()));
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
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    served.bundles.send_replace(bundle(3));
    assert_eq!(client.fetch_extension_configs(wish("", None)).await.unwrap().into_inner().version_info, "3");
}

#[tokio::test]
async fn who_runs_a_bundle_already_keeps_it_until_there_is_one() {
    let served = served().await;
    let mut client = Client::connect(served.address.clone()).await.unwrap();
    let again = DiscoveryRequest { version_info: "7".into(), ..wish("", None) };
    let refused = client.fetch_extension_configs(again.clone()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    let (to, requests) = mpsc::channel(4);
    to.send(again).await.unwrap();
    let mut answers = client.stream_extension_configs(ReceiverStream::new(requests)).await.unwrap().into_inner();
    assert!(tokio::time::timeout(Duration::from_millis(300), answers.message()).await.is_err());
    served.bundles.send_replace(bundle(8));
    assert_eq!(next(&mut answers).await.version_info, "8");
}
