//! The export of everything, and the public keys.

use kit::Caller;
use proto::v1::{
    CapturedMail, ExportMeRequest, ExportRequest, ExportResponse, GetCapturedMailRequest, GetJwksRequest,
    GetStandingRequest, ListCapturedMailRequest, ListCapturedMailResponse, ListNotificationsRequest,
    ListNotificationsResponse, RedriveRequest, RedriveResponse, Standing,
    notification_service_server::{NotificationService, NotificationServiceServer},
};
use tonic::{Response, service::Routes};

use super::*;

/// A peer that holds nothing but who asked.
struct Peer {
    json: fn(&str) -> String,
}

#[tonic::async_trait]
impl NotificationService for Peer {
    async fn list_notifications(
        &self,
        _: Request<ListNotificationsRequest>,
    ) -> Result<Response<ListNotificationsResponse>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }

    async fn list_captured_mail(
        &self,
        _: Request<ListCapturedMailRequest>,
    ) -> Result<Response<ListCapturedMailResponse>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }

    async fn get_captured_mail(
        &self,
        _: Request<GetCapturedMailRequest>,
    ) -> Result<Response<CapturedMail>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }

    async fn get_standing(&self, _: Request<GetStandingRequest>) -> Result<Response<Standing>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }

    async fn redrive(&self, _: Request<RedriveRequest>) -> Result<Response<RedriveResponse>, Status> {
        Err(Status::unimplemented("not part of the test"))
    }

    async fn export(&self, request: Request<ExportRequest>) -> Result<Response<ExportResponse>, Status> {
        let caller = Caller::of(&request).user().map_err(ServiceError::from)?;
        Ok(Response::new(ExportResponse { json: (self.json)(&caller.to_string()) }))
    }
}

fn peer(world: &World, name: &str, json: fn(&str) -> String) -> (String, Transport) {
    let routes = Routes::new(NotificationServiceServer::new(Peer { json }));
    (name.to_owned(), Transport::local(world.guard().protect(routes)))
}

#[tokio::test]
async fn an_export_holds_what_every_service_has_and_no_secret() {
    let world = World::new();
    let peers = vec![peer(&world, "notification", |caller| format!(r#"{{"of":"{caller}"}}"#))];
    let mut client = world.process_with(peers, Config::default());
    let registered = register(&client, "ada@example.org").await;
    let tokens = login(&client, "ada@example.org", PASSWORD).await.unwrap();
    let response = client.export_me(with_token(ExportMeRequest {}, &tokens)).await.unwrap();
    let disposition = response.metadata().get("content-disposition").unwrap().to_str().unwrap();
    assert!(disposition.starts_with("attachment"));
    let body = response.into_inner();
    assert_eq!(body.content_type, "application/json");
    let json: serde_json::Value = serde_json::from_slice(&body.data).unwrap();
    assert_eq!(json["user"]["account"]["email"], "ada@example.org");
    assert_eq!(json["user"]["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(json["notification"]["of"], registered.id);
    let text = String::from_utf8(body.data).unwrap();
    assert!(!text.contains("argon2") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn an_export_that_lacks_a_service_is_none() {
    let world = World::new();
    let silent = [
        peer(&world, "event", |_| "{}".to_owned()),
        peer(&world, "notification", |_| "[]".to_owned()),
        peer(&world, "nobody", |_| "{}".to_owned()),
    ];
    register(&world.process(), "ada@example.org").await;
    for peer in silent {
        let mut client = world.process_with(vec![peer], Config::default());
        let tokens = login(&client, "ada@example.org", PASSWORD).await.unwrap();
        let error = read(client.export_me(with_token(ExportMeRequest {}, &tokens)).await.unwrap_err());
        assert_eq!(error.code, Code::Unavailable);
        assert!(error.retry_after.is_some());
    }
}

#[tokio::test]
async fn the_published_keys_verify_an_access_token() {
    let world = World::new();
    let mut client = world.process();
    let registered = register(&client, "ada@example.org").await;
    let tokens = login(&client, "ada@example.org", PASSWORD).await.unwrap();
    let response = client.get_jwks(GetJwksRequest {}).await.unwrap();
    assert_eq!(response.metadata().get("cache-control").unwrap(), "public, max-age=300");
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(&response.into_inner().data).unwrap();
    let header = jsonwebtoken::decode_header(&tokens.access_token).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    rules.set_audience(&["boxoffice"]);
    // The test's clock is not the machine's.
    rules.validate_exp = false;
    let token = jsonwebtoken::decode::<serde_json::Value>(&tokens.access_token, &key, &rules).unwrap();
    assert_eq!(token.claims["sub"], registered.id);
}
